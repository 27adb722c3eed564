// `npm run schemathesis`: property-based requests, made of the OpenAPI document, against a fresh all-in-one (after `npm run setup`).
// Python and pip are needed; the packages go to .cache/. Ends with 1 where an answer is a server error or not what the document says.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { node, root } from './setup.mjs';

const VERSION = '4.32.5';
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_schema_conformance',
];
const READY_MS = 120_000;
/** Under the two minutes that CI gives it. */
const LIMIT_MS = 110_000;

const folder = join(root, '.cache', `schemathesis-${VERSION}`);
const tool = join(folder, 'bin', 'schemathesis');

async function run(command, args, options = {}) {
  const child = spawn(command, args, { stdio: 'inherit', ...options });
  const [code, signal] = await once(child, 'exit');
  return code ?? signal;
}

async function must(command, args) {
  const code = await run(command, args);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}`);
}

async function install() {
  if (existsSync(tool)) return;
  await rm(folder, { recursive: true, force: true });
  await must('python3', ['-m', 'venv', folder]);
  await must(join(folder, 'bin', 'pip'), [
    'install',
    '--quiet',
    '--disable-pip-version-check',
    `schemathesis==${VERSION}`,
  ]);
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** A fresh installation in a directory of its own. */
async function start(directory) {
  const port = await freePort();
  const data = join(directory, 'data');
  const url = `http://127.0.0.1:${port}`;
  const environment = { ...process.env, PORT: String(port), TOCSIN_DATA_DIR: data, LOG_LEVEL: 'warn' };
  const child = spawn(node, [join(root, 'apps', 'all-in-one', 'dist', 'main.js')], {
    cwd: root,
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  const giveUp = performance.now() + READY_MS;
  for (;;) {
    if (child.exitCode !== null || performance.now() > giveUp) throw new Error(`all-in-one is not ready:\n${output}`);
    const ready = await fetch(`${url}/health/ready`).catch(() => undefined);
    if (ready?.ok) break;
    await pause(200);
  }
  const { apiKey } = JSON.parse(await readFile(join(data, 'demo.json'), 'utf8'));
  return { child, url, apiKey, data, output: () => output };
}

async function stop({ child, data }) {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
  const server = join(data, 'postgres', 'server');
  if (existsSync(server)) await rm(await realpath(server), { recursive: true, force: true });
}

async function webhook({ url, apiKey }, connector) {
  const response = await fetch(`${url}/api/v1/webhooks`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: `Fuzzed ${connector}`, connector, auth: { method: 'none' } }),
  });
  if (response.status !== 201) throw new Error(`no webhook: ${response.status} ${await response.text()}`);
  return response.json();
}

/** Addresses of real webhooks: made-up tokens would all be answered by the same 404. */
async function configurationOf(site) {
  const [generic, prometheus] = [await webhook(site, 'generic'), await webhook(site, 'prometheus')];
  const operation = (path, parameters) => `[[operations]]\ninclude-path = "${path}"\nparameters = { ${parameters} }\n`;
  return [
    `[auth.openapi.apiKey]\nbearer = "${site.apiKey}"\n`,
    operation('/webhook/{token}/trigger', `"path.token" = "${generic.token}"`),
    operation('/prometheus/{token}/api/v2/alerts', `"path.token" = "${prometheus.token}"`),
    operation('/api/integrations/{platform}', `"path.platform" = "webhook", "query.integrationId" = "${generic.id}"`),
  ].join('\n');
}

const given = process.argv.slice(2);
const directory = await mkdtemp(join(tmpdir(), 'tocsin-schemathesis-'));
await chmod(directory, 0o755);
let site;
let result = 1;
try {
  await install();
  site = await start(directory);
  const file = join(directory, 'schemathesis.toml');
  await writeFile(file, await configurationOf(site));
  const options = [
    ...['--checks', CHECKS.join(',')],
    ...['--phases', 'coverage,fuzzing'],
    ...['--max-examples', '5', '--workers', '1', '--seed', '1', '--request-timeout', '20'],
    ...['--generation-database', ':memory:', '--no-color', '--continue-on-failure'],
    // An endless answer, and one whose 503 is its purpose.
    ...['--exclude-path', '/api/v1/incidents/stream', '--exclude-path', '/health/ready'],
  ];
  const address = `${site.url}/api/openapi.json`;
  const timed = AbortSignal.timeout(LIMIT_MS * 3);
  result = await run(tool, ['--config-file', file, 'run', address, ...options, ...given], {
    cwd: directory,
    signal: timed,
    env: { ...process.env, PYTHONUTF8: '1' },
  });
} finally {
  // Requests of any kind leave every consumer at work.
  const ready = site && (await fetch(`${site.url}/health/ready`).then((answer) => answer.text()));
  if (site) process.stdout.write(`\nAfterwards: ${ready}\n`);
  if (site) await stop(site);
  if (result !== 0 && site) process.stdout.write(`\nWhat all-in-one said:\n${site.output().slice(-8_000)}\n`);
  await rm(directory, { recursive: true, force: true });
}
process.exit(result === 0 ? 0 : 1);
