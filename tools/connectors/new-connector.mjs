// npm run new-connector <name>: a folder with everything a connector needs, so that its specs run from the first minute.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { argv, exit, stderr, stdout } from 'node:process';
import { fileURLToPath } from 'node:url';
import { connectorFolders, registryFile, registryText } from './registry.mjs';

const titleOf = (id) => id.replaceAll(/(?:^|-)(\w)/g, (_match, letter) => ` ${letter.toUpperCase()}`).trim();

const sourceText = (id) => `import { isObject, valueAt } from '@tocsin/domain/mapping';
import type { SourceConnector } from '../kit/source-connector.ts';

/** What this platform sends, and which of its forms are read. */
export const source = {
  id: '${id}',
  title: '${titleOf(id)}',
  category: 'monitoring',
  kind: 'alert',
  slugs: [],
  auth: { default: 'bearer', also: ['basic', 'api_key', 'query_token', 'none'] },
  deliveryIdHeaders: [],
  retries: { on429: false },
  respond: 'accept',
  resolves: true,
  decode: ['json'],
  recognises: (root) => isObject(root) && valueAt(root, 'alert_id') !== undefined,
  split: (root) => [root],
  recognisesElement: () => true,
  ignore: [],
  fields: {
    title: ['$.title'],
    description: ['$.message'],
    services: ['$.service'],
    tags: ['$.tags'],
    source: [],
    url: ['$.url'],
    dedupKey: ['$.alert_id'],
    firingKey: [],
    incidentType: [],
  },
  occurredAt: { from: ['$.time'], orders: true },
  status: { from: ['$.state'], absent: 'triggered' },
  severity: { from: ['$.severity'] },
  keep: ({ element }) => (isObject(element) ? element : {}),
} as const satisfies SourceConnector;
`;

const readmeText = (id) => `# ${titleOf(id)}

What is sent to this address, and how it becomes alerts.

## Set-up

Where to enter \`https://tocsin.example/webhook/<token>/trigger\` and which events to choose.

## Authentication

\`Authorization: Bearer <secret>\`.

## What resolves

\`state: resolved\`, by \`alert_id\`.

## Traps

- What differs from the sender's manual.
`;

const example = { title: 'Queue is long', message: '1,204 orders wait', service: 'orders', tags: ['env:prod'] };
const samples = {
  trigger: { alert_id: 'a-1', state: 'firing', severity: 'high', time: '2026-11-20T08:15:30Z', ...example },
  resolve: { alert_id: 'a-1', state: 'resolved', severity: 'high', time: '2026-11-20T08:40:00Z', ...example },
  awkward: { alert_id: 0, state: '', severity: null, time: '0001-01-01T00:00:00Z', title: ' ', url: null },
};

/** What the sample must become. Written by hand for a real connector: here it is what the skeleton above promises. */
function expectedOf(id, name, body) {
  const isAwkward = name === 'awkward';
  const alert = {
    index: 0,
    status: name === 'resolve' ? 'resolved' : 'triggered',
    severity: isAwkward ? 'medium' : 'high',
    title: isAwkward ? `${titleOf(id)} alert without a title` : body.title,
    description: body.message ?? '',
    services: isAwkward ? [] : ['orders'],
    tags: body.tags ?? [],
    source: null,
    url: null,
    occurredAt: isAwkward ? null : body.time.replace('Z', '.000Z'),
    occurredAtOrders: !isAwkward,
    dedupKey: String(body.alert_id),
    dedupKeyOrigin: 'connector',
    resolveKey: String(body.alert_id),
    firingKey: null,
    incidentType: null,
    notes: isAwkward
      ? [
          { code: 'severity-missing', path: 'severity' },
          { code: 'title-missing', path: 'title' },
        ]
      : [],
  };
  return { total: 1, alerts: [alert], omitted: [] };
}

/** Short lists on one line, as prettier writes them. */
const json = (value) => `${JSON.stringify(value, null, 2).replaceAll(/\[\s+("[^"]*")\s+\]/g, '[$1]')}\n`;

function create(id) {
  const folder = new URL(`../../libs/connectors/src/${id}/`, import.meta.url);
  if (existsSync(folder)) throw new Error(`${fileURLToPath(folder)} is there already`);
  mkdirSync(new URL('samples/', folder), { recursive: true });
  const write = (name, text) => writeFileSync(new URL(name, folder), text);
  write('source.ts', sourceText(id));
  write('README.md', readmeText(id));
  for (const [name, body] of Object.entries(samples)) {
    write(`samples/${name}.json`, json(body));
    write(`samples/${name}.expected.json`, json(expectedOf(id, name, body)));
  }
  writeFileSync(registryFile, registryText(connectorFolders()));
  stdout.write(`${fileURLToPath(folder)}
1. Replace samples/ with bodies of the same structure as the platform's (trigger, resolve or update, an awkward one). A sample that is no
   application/json has a <name>.request.json beside it: {"content_type", "headers", "query"}.
2. Make source.ts read them, and say in README.md what a user has to do.
3. npx vitest run --project unit libs/connectors
`);
}

const [id, ...more] = argv.slice(2);
if (id === undefined || more.length > 0 || !/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(id) || id === 'kit') {
  stderr.write('Usage: npm run new-connector <name>, e.g. acme-monitoring (lower case, words joined by hyphens)\n');
  exit(2);
}
try {
  create(id);
} catch (error) {
  stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  exit(1);
}
