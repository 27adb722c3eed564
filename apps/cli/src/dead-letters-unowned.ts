import { createPools } from '@tocsin/postgres';
import type { ListedLetter, ShownLetter } from './dead-letters.ts';
import { databaseUrl } from './database.ts';
import type { Terminal } from './terminal.ts';

interface Row {
  id: string;
  at: Date;
  service: string;
  topic: string;
  reason: string;
  detail: string;
  webhook_id: string | null;
  receipt_id: string | null;
  size_bytes: number;
  status: string;
  headers: Record<string, string> | null;
  value?: Buffer | null;
}

const COLUMNS = 'id, at, service, topic, reason, detail, webhook_id, receipt_id, size as size_bytes, status, headers';
/** A record that does not say whose it is belongs to whoever runs the installation: no API key reads it. */
const UNOWNED = 'from control_plane.dead_letters where workspace_id is null';

async function query(terminal: Terminal, sql: string, values: unknown[]): Promise<Row[]> {
  const pools = createPools({ connectionString: await databaseUrl(terminal), max: 1, applicationName: 'tocsin-cli' });
  try {
    return (await pools.pipeline.query<Row>(sql, values)).rows;
  } finally {
    await pools.close();
  }
}

const lineOf = ({ value: _value, headers: _headers, ...row }: Row): ListedLetter => ({
  ...row,
  at: row.at.toISOString(),
});

/** Newest first. */
export async function listUnowned(terminal: Terminal, limit: number): Promise<ListedLetter[]> {
  const rows = await query(terminal, `select ${COLUMNS} ${UNOWNED} order by at desc, id desc limit $1`, [limit]);
  return rows.map(lineOf);
}

/** @throws Error where there is none with this id that belongs to nobody */
export async function showUnowned(terminal: Terminal, id: string): Promise<ShownLetter & { headers: object }> {
  const [row] = await query(terminal, `select ${COLUMNS}, value ${UNOWNED} and id = $1`, [id]);
  if (!row)
    throw new Error(
      `there is no dead letter ${id} without a workspace; those of a workspace are read without --database`,
    );
  const content = contentOf(row.value ?? null);
  return { ...lineOf(row), headers: row.headers ?? {}, ...content };
}

function contentOf(value: Buffer | null): Pick<ShownLetter, 'encoding' | 'value'> {
  if (value === null) return { encoding: null, value: null };
  try {
    return { encoding: 'text', value: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value) };
  } catch {
    return { encoding: 'base64', value: value.toString('base64') };
  }
}
