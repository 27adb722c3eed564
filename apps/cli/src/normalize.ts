import { extname } from 'node:path';
import { parseArgs } from 'node:util';
import { alertView, connectorOf, connectors, type NormalizeContext, type Normalization } from '@tocsin/connectors';
import { type CompiledMapping, compileMapping, readMapping } from '@tocsin/domain/mapping-rules';
import { type Terminal, UsageError } from './terminal.ts';

/** The receipt that an offline payload is read as: no installation knows these ids. */
const LOCAL = {
  receiptId: 'rcv_aaaaaaaaaaaaaaaaaaaaaaaaaa',
  workspaceId: 'ws_aaaaaaaaaaaaaaaaaaaaaaaaaa',
  webhookId: 'whk_aaaaaaaaaaaaaaaaaaaaaaaaaa',
  configRevision: 0,
  defaultSeverity: 'medium',
  severityProfile: 'tocsin',
  notes: [],
} as const satisfies Partial<NormalizeContext>;

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.json': 'application/json',
  '.txt': 'text/plain',
  '.xml': 'application/xml',
};

/** `tocsin normalize`: what a connector makes of a payload, with the defaults of a new webhook. Every result is a success. */
export async function normalize(args: string[], terminal: Terminal): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    // Headers and query go to the connector with the bytes, as a receipt has them; a connector reads what it needs.
    options: {
      connector: { type: 'string' },
      headers: { type: 'string' },
      mapping: { type: 'string' },
      query: { type: 'string' },
    },
  });
  const connector = connectorOf(values.connector ?? '');
  if (!connector) throw new UsageError(`--connector: one of ${connectors.map(({ source }) => source.id).join(', ')}`);
  const [path, ...more] = positionals;
  if (path === undefined || more.length > 0) throw new UsageError('normalize: exactly one payload (a file, or -)');
  const headers = values.headers === undefined ? {} : await headersIn(values.headers, terminal);
  const mapping = values.mapping === undefined ? undefined : await mappingIn(values.mapping, terminal);
  const bytes = await readPayload(path, terminal);
  const contentType = headers['content-type'] ?? CONTENT_TYPES[extname(path)] ?? null;
  const payload = { bytes, contentType, headers, query: values.query ?? '' };
  const context = { ...LOCAL, receivedAt: terminal.now().toISOString(), ...(mapping ? { mapping } : {}) };
  const result = connector.normalize(payload, context);
  terminal.out(`${JSON.stringify(viewOf(result), null, 2)}\n`);
}

async function readPayload(path: string, terminal: Terminal): Promise<Buffer> {
  try {
    return await terminal.read(path);
  } catch (error) {
    throw new UsageError(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function jsonIn(option: string, path: string, terminal: Terminal): Promise<unknown> {
  const text = (await readPayload(path, terminal)).toString('utf8');
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new UsageError(`--${option}: ${path} is not JSON: ${(error as Error).message}`);
  }
}

/** A mapping as `POST webhooks` takes it. */
async function mappingIn(path: string, terminal: Terminal): Promise<CompiledMapping> {
  const read = readMapping(await jsonIn('mapping', path, terminal));
  if (read.ok) return compileMapping(read.mapping);
  throw new UsageError(read.problems.map((problem) => `--mapping: ${problem.path}: ${problem.message}`).join('\n'));
}

/** A JSON object of texts, names in any case. */
async function headersIn(path: string, terminal: Terminal): Promise<Record<string, string>> {
  const value = await jsonIn('headers', path, terminal);
  const entries =
    typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : undefined;
  if (!entries?.every((entry): entry is [string, string] => typeof entry[1] === 'string')) {
    throw new UsageError(`--headers: ${path} must be an object of texts`);
  }
  return Object.fromEntries(entries.map(([name, header]) => [name.toLowerCase(), header]));
}

/** snake_case, as every file and command prints. `ignored` and `dead_letter` speak of a payload without any alert. */
function viewOf(result: Normalization) {
  if (result.kind === 'ignored')
    return { alerts: [], ignored: { reason: result.reason, detail: result.detail }, dead_letter: null, notes: [] };
  if (result.kind === 'unreadable')
    return { alerts: [], ignored: null, dead_letter: { reason: result.reason, detail: result.detail }, notes: [] };
  return { alerts: result.alerts.map(alertView), ignored: null, dead_letter: null, notes: result.omitted };
}
