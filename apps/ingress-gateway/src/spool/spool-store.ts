import { partitionOf, type AppendRecord } from '@tocsin/event-log';
import { Client, type ClientConfig } from 'pg';
import type { GateState } from './spool-gate.ts';

/** A receipt on its way into the log. */
export interface Receipt {
  workspaceId: string;
  record: AppendRecord;
}

/** A receipt in the spool. */
export interface SpooledRow {
  slot: number;
  seq: string;
  bytes: number;
  record: AppendRecord;
}

/** How many drainers can work at the same time. A webhook's receipts are in one slot, so that one of them forwards it. */
export const SLOTS = 16;
const SLOT_LOCKS = 60_100;
const GATE_LOCK = `hashtextextended('tocsin.ingress_gateway.spool', 0)`;
const GATEWAY_LOCKS = 60_101;
/** Of a row `g`: its session holds the lock that bears its number. */
const IS_CONNECTED = `exists (select from pg_locks l where l.locktype = 'advisory' and l.classid = ${GATEWAY_LOCKS} and l.pid = g.pid)`;
const ROW_BYTES = 128;

export const CHANNEL = 'tocsin_spool';

/** What a receipt takes of the spool's size. */
export const bytesOf = (record: AppendRecord): number =>
  record.value.length + (record.headers['facts']?.length ?? 0) + ROW_BYTES;

/** A connection of its own, apart from the pool: neither spooling nor draining may wait for a query of somebody else. */
export async function connectSpool(options: ClientConfig, settings: Record<string, string>): Promise<Client> {
  const client = new Client({ ...options, connectionTimeoutMillis: 1_000, keepAlive: true });
  client.on('error', () => undefined); // the next query reports it
  try {
    await client.connect();
    const set = Object.entries({ synchronous_commit: 'on', ...settings });
    await client.query(set.map(([name, value]) => `set ${name} = '${value}'`).join('; '));
    return client;
  } catch (error) {
    dropConnection(client);
    throw error;
  }
}

/** Ends a connection without a farewell that a hanging server would not answer. */
export function dropConnection(client: Client): void {
  const { connection } = client as unknown as { connection: { stream: { destroy(): void } } };
  connection.stream.destroy();
}

interface PutRow {
  taken: boolean;
  opened: boolean;
  gate_generation: string;
}

/** Stores many receipts in one statement; durable when it resolves. Not taken where the spool was closed after `generation`. */
export async function putReceipts(client: Client, writer: string, generation: number, receipts: readonly Receipt[]) {
  let end = 1; // as substring() counts
  const starts = receipts.map(({ record }) => (end += record.value.length) - record.value.length);
  const { rows } = await client.query<PutRow>({
    name: 'spool-put',
    text: 'select taken, opened, gate_generation from ingress_gateway.spool_put($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)',
    values: [
      writer,
      generation,
      receipts.map(({ record }) => partitionOf(record.key, SLOTS)),
      receipts.map(({ workspaceId }) => workspaceId),
      receipts.map(({ record }) => record.key),
      receipts.map(({ record }) => JSON.stringify(record.headers)),
      starts,
      receipts.map(({ record }) => record.value.length),
      Buffer.concat(receipts.map(({ record }) => record.value)),
      receipts.reduce((sum, { record }) => sum + bytesOf(record), 0),
    ],
  });
  const [row] = rows;
  if (!row) throw new TypeError('the spool gave no answer');
  return { taken: row.taken, opened: row.opened, generation: Number(row.gate_generation) };
}

/** The gate, and how many bytes the spool holds. */
export async function readGate(client: Client): Promise<GateState & { bytes: number }> {
  const { rows } = await client.query<{ spooling: boolean; generation: string; bytes: string }>(
    `select spooling, generation, (select coalesce(sum(bytes), 0) from ingress_gateway.spool_accounts) as bytes from ingress_gateway.spool_gate`,
  );
  const [row] = rows;
  if (!row) throw new TypeError('the spool has no gate');
  return { spooling: row.spooling, generation: Number(row.generation), bytes: Number(row.bytes) };
}

/** This session speaks for its gateway from now on, as long as it lives: a lock tells. What an earlier one had heard does not count for it. */
export async function joinGateways(client: Client, name: string): Promise<void> {
  await client.query('select pg_advisory_lock($1, pg_backend_pid())', [GATEWAY_LOCKS]);
  await client.query(
    `with gone as (
       delete from ingress_gateway.spool_gateways g
        where g.name <> $1 and (g.pid = pg_backend_pid() or not ${IS_CONNECTED})
     )
     insert into ingress_gateway.spool_gateways as g (name, pid) values ($1, pg_backend_pid())
     on conflict (name) do update set pid = excluded.pid, heard = excluded.heard`,
    [name],
  );
}

/** Says that the gateway knows that the spool is open, so that it writes nothing past it. */
export const sayHeard = (client: Client, name: string, generation: number): Promise<unknown> =>
  client.query({
    name: 'spool-heard',
    text: 'update ingress_gateway.spool_gateways set heard = $2 where name = $1 and heard < $2',
    values: [name, generation],
  });

/** Whether every other gateway that is connected has heard that the spool is open. */
export async function allHeard(client: Client, name: string, generation: number): Promise<boolean> {
  const { rowCount } = await client.query({
    name: 'spool-all-heard',
    text: `select from ingress_gateway.spool_gateways g where g.name <> $1 and g.heard < $2
              and ${IS_CONNECTED} limit 1`,
    values: [name, generation],
  });
  return rowCount === 0;
}

/** Takes those of the slots that no other session holds; they are this session's until `freeSlots`, or until it ends. */
export async function takeSlots(client: Client, slots: readonly number[]): Promise<number[]> {
  const { rows } = await client.query<{ slot: number }>(
    'select slot from unnest($1::int[]) as slot where pg_try_advisory_lock($2, slot)',
    [slots, SLOT_LOCKS],
  );
  return rows.map(({ slot }) => slot);
}

export const freeSlots = (client: Client, slots: readonly number[]): Promise<unknown> =>
  client.query('select pg_advisory_unlock($2, slot) from unnest($1::int[]) as slot', [slots, SLOT_LOCKS]);

interface StoredRow {
  slot: number;
  seq: string;
  webhook_id: string;
  headers: string;
  body: Buffer;
}

const rowOf = ({ slot, seq, webhook_id, headers, body }: StoredRow): SpooledRow => {
  const record: AppendRecord = {
    topic: 'webhook.received',
    key: webhook_id,
    value: body,
    headers: JSON.parse(headers) as Record<string, string>,
  };
  return { slot, seq, bytes: bytesOf(record), record };
};

/** The oldest receipts of some slots in order, as many as the bytes allow, but one at least. */
export async function readReceipts(
  client: Client,
  slots: readonly number[],
  { rows: limit, bytes }: { rows: number; bytes: number },
): Promise<SpooledRow[]> {
  const { rows } = await client.query<StoredRow>({
    name: 'spool-read',
    text: `select slot, seq, webhook_id, headers, body
             from (select found.*, sum(size) over (order by seq) - size as before
                     from unnest($1::smallint[]) as held(slot)
                    cross join lateral (select s.*, octet_length(s.body) + octet_length(s.headers) as size from ingress_gateway.spool s
                                         where s.slot = held.slot order by s.seq limit $2) found) candidates
            where before < $3 order by seq`,
    values: [slots, Math.ceil(limit / slots.length), bytes],
  });
  return rows.map(rowOf);
}

/** Removes what is in the log. */
export async function removeReceipts(client: Client, writer: string, rows: readonly SpooledRow[]): Promise<void> {
  await client.query({
    name: 'spool-remove',
    text: `with gone as (
             delete from ingress_gateway.spool s using unnest($1::smallint[], $2::bigint[], $3::bigint[]) as d(slot, seq, bytes)
              where s.slot = d.slot and s.seq = d.seq
             returning d.bytes)
           insert into ingress_gateway.spool_accounts as a (writer, bytes)
           select $4, -sum(bytes) from gone having count(*) > 0
           on conflict (writer) do update set bytes = a.bytes + excluded.bytes`,
    values: [rows.map(({ slot }) => slot), rows.map(({ seq }) => seq), rows.map(({ bytes }) => bytes), writer],
  });
}

/**
 * Closes the spool: with nobody adding to it and no other drainer at work, forwards what is left and lets every gateway write to the log
 * again. Resolves with how much was forwarded, or undefined where it is not the time: too much is left, or others are in the way.
 */
export async function closeSpool(
  client: Client,
  limit: number,
  forward: (rows: readonly SpooledRow[]) => Promise<void>,
): Promise<{ forwarded: number; generation: number } | undefined> {
  if ((await countUpTo(client, limit + 1)) > limit) return undefined;
  await client.query(`begin; set local lock_timeout = '300ms'`);
  try {
    const every = Array.from({ length: SLOTS }, (_, slot) => slot);
    // The slots come first, and without waiting: who waits for another drainer must not keep everybody from the gate.
    const { rowCount: free } = await client.query(
      'select from unnest($1::int[]) as slot where pg_try_advisory_xact_lock($2, slot)',
      [every, SLOT_LOCKS],
    );
    if (free !== SLOTS) throw new NotYet();
    await client.query(`select pg_advisory_xact_lock(${GATE_LOCK})`);
    const rows = await readReceipts(client, every, { rows: limit * SLOTS, bytes: 8 * 1024 * 1024 });
    if (rows.length > limit || (await countUpTo(client, limit + 1)) > rows.length) throw new NotYet();
    if (rows.length > 0) await forward(rows);
    await client.query('truncate ingress_gateway.spool, ingress_gateway.spool_accounts');
    const { rows: closed } = await client.query<{ generation: string }>(
      'update ingress_gateway.spool_gate set spooling = false, generation = generation + 1 where spooling returning generation',
    );
    if (!closed[0]) throw new NotYet(); // another gateway was first
    await client.query(`notify ${CHANNEL}; commit`);
    return { forwarded: rows.length, generation: Number(closed[0].generation) };
  } catch (error) {
    await client.query('rollback');
    if (error instanceof NotYet || (error as { code?: string }).code === LOCK_NOT_AVAILABLE) return undefined;
    throw error;
  }
}

async function countUpTo(client: Client, most: number): Promise<number> {
  const { rows } = await client.query<{ found: string }>(
    `select count(*) as found from (select from ingress_gateway.spool limit ${most}) counted`,
  );
  return Number(rows[0]?.found);
}

const LOCK_NOT_AVAILABLE = '55P03';
class NotYet extends Error {}
