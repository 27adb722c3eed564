// Brings a fresh clone to where it can run: installs what the lock file says, then builds. No dependencies; Node ≥ 20.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
const bin = join(root, 'node_modules', '.bin');
/** The project's own Node 24, which npm installs; the one that started this script may be older. */
export const node = join(bin, process.platform === 'win32' ? 'node.exe' : 'node');

/**
 * Node's arguments for a service that has a process of its own, and for benchmarks of services: the rows and texts of a batch live until it is
 * committed, and in a young generation of 16 MB, Node's default, they are copied twice before they are garbage (decision 57).
 */
export const serviceArguments = ['--max-semi-space-size=64'];

/** Environment for everything that the project starts: its own binaries first, no cloud, no daemon. */
export const environment = {
  ...process.env,
  PATH: `${bin}${delimiter}${process.env.PATH ?? ''}`,
  NX_DAEMON: 'false',
  NX_NO_CLOUD: 'true',
  NX_TUI: 'false',
  NODE_OPTIONS: [process.env.NODE_OPTIONS, '--disable-warning=TimeoutNegativeWarning'].filter(Boolean).join(' '),
};

/** Runs a command to its end. Resolves with its exit code; output goes where ours goes unless `quiet`. */
export function run(command, args, { quiet = false, env = environment } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, env, stdio: quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit' });
    let output = '';
    child.stdout?.on('data', (chunk) => (output += chunk));
    child.stderr?.on('data', (chunk) => (output += chunk));
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (quiet && code !== 0) process.stderr.write(output);
      resolve(code ?? (signal ? 1 : 0));
    });
  });
}

async function step(what, command, args, options) {
  const started = performance.now();
  process.stderr.write(`${what} …\n`);
  const code = await run(command, args, options);
  if (code !== 0) {
    process.stderr.write(`${what} failed (exit ${code}).\n`);
    process.exit(code);
  }
  process.stderr.write(`${what}: ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
}

const read = (file) => (existsSync(file) ? readFileSync(file, 'utf8') : '');
const hash = (...texts) => createHash('sha256').update(texts.join('\0')).digest('hex');

/** Sizes and times of every source file: cheap enough for each start, and it changes with every edit. */
function sourcesStamp() {
  const seen = [];
  const walk = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.name === 'node_modules' || entry.name === 'dist') continue;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) walk(path);
      else if (/\.(ts|json)$/.test(entry.name)) {
        const { size, mtimeMs } = statSync(path);
        seen.push(`${path} ${size} ${mtimeMs}`);
      }
    }
  };
  for (const folder of ['libs', 'apps']) walk(join(root, folder));
  return hash(process.version, read(join(root, 'tsconfig.base.json')), ...seen.sort());
}

async function once(stampFile, stamp, work) {
  if (read(stampFile) === stamp) return;
  await work();
  writeFileSync(stampFile, stamp);
}

/** Installs when the lock file changed, builds when a source changed; does nothing otherwise. */
export async function setup() {
  const locked = hash(read(join(root, 'package-lock.json')));
  await once(join(root, 'node_modules', '.tocsin-installed'), locked, () =>
    step('Installing packages', 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
      quiet: true,
      env: process.env,
    }),
  );
  await once(join(root, 'node_modules', '.tocsin-built'), sourcesStamp(), () =>
    step('Building', node, [join(root, 'node_modules', 'nx', 'dist', 'bin', 'nx.js'), 'run', 'tocsin:build'], {
      quiet: true,
    }),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await setup();
