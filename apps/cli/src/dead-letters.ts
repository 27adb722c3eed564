import { parseArgs } from 'node:util';
import { Api } from './dead-letters-api.ts';
import { listUnowned, showUnowned } from './dead-letters-unowned.ts';
import { type Terminal, UsageError } from './terminal.ts';

/** One letter as the API lists it. */
export interface ListedLetter {
  id: string;
  at: string;
  service: string;
  topic: string;
  reason: string;
  detail: string;
  webhook_id: string | null;
  receipt_id: string | null;
  size_bytes: number;
  status: string;
}
export interface ShownLetter extends ListedLetter {
  encoding: 'text' | 'base64' | null;
  value: string | null;
}
interface Redriven {
  items: { id: string; result: string }[];
  more: boolean;
}

const filters = {
  service: { type: 'string' },
  topic: { type: 'string' },
  reason: { type: 'string' },
  webhook: { type: 'string' },
  from: { type: 'string' },
  to: { type: 'string' },
} as const;
const json = { json: { type: 'boolean', default: false } } as const;
const database = { database: { type: 'boolean', default: false } } as const;

type Filters = Partial<Record<keyof typeof filters, string>>;
type Verb = (args: string[], terminal: Terminal) => Promise<void>;
const verbs: Readonly<Record<string, Verb>> = { list, show, redrive };

/** `tocsin dlq list|show|redrive`: what no service could read, and the way back for it. */
export async function dlq(args: string[], terminal: Terminal): Promise<void> {
  const [verb = '', ...rest] = args;
  const run = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
  if (!run) throw new UsageError(`dlq ${verb || '?'}: there is ${Object.keys(verbs).join(', ')}`);
  await run(rest, terminal);
}

const namesOf = ({ webhook, ...others }: Filters): Record<string, string> =>
  Object.fromEntries(
    Object.entries({ ...others, webhook_id: webhook }).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    ),
  );

/** Lists page after page up to the limit. */
async function list(args: string[], terminal: Terminal): Promise<void> {
  const options = {
    ...filters,
    ...json,
    ...database,
    status: { type: 'string' },
    limit: { type: 'string', default: '50' },
  } as const;
  const { values } = parseArgs({ args, options });
  const { json: asJson, database: inDatabase, status, limit: most, ...chosen } = values;
  const limit = limitOf(most);
  const items = inDatabase
    ? await listUnowned(terminal, limit)
    : await listed(new Api(terminal), { ...namesOf(chosen), ...(status === undefined ? {} : { status }) }, limit);
  if (asJson) return terminal.out(`${JSON.stringify({ items }, null, 2)}\n`);
  terminal.out(items.length === 0 ? 'No dead letters.\n' : table(items));
}

const PAGE = 200;
async function listed(api: Api, query: Record<string, string>, limit: number): Promise<ListedLetter[]> {
  const items: ListedLetter[] = [];
  let cursor: string | null = null;
  do {
    const asked = new URLSearchParams({ ...query, limit: String(Math.min(PAGE, limit - items.length)) });
    if (cursor !== null) asked.set('cursor', cursor);
    const page: { items: ListedLetter[]; next_cursor: string | null } = await api.get(
      `dead-letters?${asked.toString()}`,
    );
    items.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor !== null && items.length < limit);
  return items;
}

async function show(args: string[], terminal: Terminal): Promise<void> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options: { ...json, ...database } });
  const [id, ...more] = idsOf(positionals);
  if (id === undefined || more.length > 0) throw new UsageError('dlq show: exactly one id (dlt_…)');
  const letter = values.database
    ? await showUnowned(terminal, id)
    : await new Api(terminal).get<ShownLetter>(`dead-letters/${id}`);
  if (values.json) return terminal.out(`${JSON.stringify(letter, null, 2)}\n`);
  const { value, encoding, ...facts } = letter;
  for (const [name, fact] of Object.entries(facts)) {
    if (name === 'json' || fact === null) continue;
    terminal.out(`${name}: ${printable(typeof fact === 'string' ? fact : JSON.stringify(fact))}\n`);
  }
  const what = encoding === 'base64' ? 'Original bytes, base64:' : 'Original bytes:';
  terminal.out(
    value === null ? '\nThe original bytes are no longer kept.\n' : `\n${what}\n${printable(value, true)}\n`,
  );
}

async function redrive(args: string[], terminal: Terminal): Promise<void> {
  const options = { ...filters, ...json, limit: { type: 'string', default: '500' } } as const;
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options });
  const { json: asJson, limit, ...chosen } = values;
  const ids = idsOf(positionals);
  const filter = namesOf(chosen);
  if (ids.length > 0 === Object.keys(filter).length > 0)
    throw new UsageError('dlq redrive: either ids (dlt_…), or at least one filter such as --reason or --webhook');
  const content = ids.length > 0 ? { ids } : { ...filter, limit: limitOf(limit) };
  const done = await new Api(terminal).post<Redriven>('dead-letters/redrive', content);
  if (asJson) return terminal.out(`${JSON.stringify(done, null, 2)}\n`);
  for (const { id, result } of done.items) terminal.out(`${id}  ${result}\n`);
  const count = done.items.filter(({ result }) => result === 'redriven').length;
  terminal.out(`${count} of ${done.items.length} redriven${done.more ? '; there are more: run it again' : ''}\n`);
}

function idsOf(positionals: readonly string[]): string[] {
  const wrong = positionals.find((id) => !/^dlt_[a-z2-7]{26}$/.test(id));
  if (wrong !== undefined) throw new UsageError(`'${wrong}' is no id of a dead letter (dlt_ and 26 characters)`);
  return [...positionals];
}

function limitOf(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) < 1) throw new UsageError('--limit: a number from 1 to 99999');
  return Number(text);
}

/** What senders wrote must not steer a terminal. */
const printable = (text: string, manyLines = false): string =>
  text.replace(manyLines ? /[^\P{Cc}\n\t]/gu : /\p{Cc}/gu, '\uFFFD');

const HEAD = ['ID', 'AT', 'SERVICE', 'REASON', 'WEBHOOK', 'STATUS', 'DETAIL'];
const DETAIL_MAX = 60;

function table(letters: readonly ListedLetter[]): string {
  const rows = letters.map(({ id, at, service, reason, webhook_id: webhook, status, detail }) =>
    [id, at, service, reason, webhook ?? '-', status, detail.slice(0, DETAIL_MAX)].map((cell) => printable(cell)),
  );
  const all = [HEAD, ...rows];
  const widths = HEAD.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return `${all.map(line).join('\n')}\n`;
}
