import { decodeRecord, type PublicIncidentEvent } from '@tocsin/contracts';
import { digestOf, hashOf, type EventMeta } from '@tocsin/domain/incident';
import type { EventLog, LogBatch, LogRecord } from '@tocsin/event-log';
import { migrate, type Tx } from '@tocsin/postgres';
import { rebuild, type RebuildOptions, type RebuildReport } from './rebuild.ts';
import { eraseRestored, insertRestored, restoredHeads, restoreState, type RestoredEvent } from './restore-store.ts';
import { loginSession, pipelineSession, within } from './session.ts';
import { LogDamagedError } from './stored-streams.ts';

export interface RestoreOptions extends Pick<RebuildOptions, 'connectionString' | 'say'> {
  /** Holds `incident.events`. */
  eventLog: EventLog;
  /** A consumer group that nobody else uses. */
  group: string;
}

export interface RestoreReport extends RebuildReport {
  /** Events that came again: the topic may hold one twice. */
  repeated: number;
  /** Incidents whose first events the topic has no more: they are left out. */
  incomplete: number;
  /** Erased contents that do not become what their event vouches for. */
  strange: number;
}

/** The database holds incidents: what is in the topic is not written over them. */
export class NotEmptyError extends Error {
  readonly code = 'not-empty';
}

const TOPIC = 'incident.events';
const PROGRESS = 'incident_store_restore';

/**
 * Makes the log of incidents anew out of the public topic, in an empty database, then the projections out of it. Every hash is checked on
 * the way. A run that was killed is gone on with. @throws NotEmptyError, LogDamagedError
 */
export async function restoreFromTopic(options: RestoreOptions): Promise<RestoreReport> {
  const { connectionString, say } = options;
  const directory = new URL('../../src/migrations/', import.meta.url);
  await migrate({ connectionString, schema: 'incident_store', directory });
  const login = await loginSession(connectionString);
  const tx = await pipelineSession(connectionString);
  try {
    await begin(login);
    const restore = new Restore(options, tx);
    await restore.read();
    say?.(`${restore.events} events read`);
    const report = await rebuild({ connectionString, ...(say ? { say } : {}) });
    await within(tx, 'read committed', () => restoreState(tx));
    await login.query(`drop schema ${PROGRESS} cascade`);
    const { repeated, strange, incomplete } = restore;
    return { ...report, repeated, strange, incomplete: incomplete.size };
  } finally {
    for (const client of [login, tx]) await client.end().catch(() => undefined);
  }
}

async function begin(login: Tx): Promise<void> {
  const { rows } = await login.query<{ begun: boolean; events: boolean }>(
    `select to_regclass('${PROGRESS}.positions') is not null as begun, exists (select from incident_store.streams) as events`,
  );
  const [found] = rows;
  if (found?.begun) return;
  // Forced row level security hides rows from a login that is no superuser: the pipeline's role sees them.
  await login.query('set role tocsin_pipeline');
  const { rows: seen } = await login.query('select from incident_store.events limit 1');
  await login.query('reset role');
  if (found?.events || seen.length > 0)
    throw new NotEmptyError('this database holds incidents; --from-topic needs an empty one');
  await login.query(`create schema ${PROGRESS};
    create table ${PROGRESS}.positions (partition integer primary key, next_offset bigint not null);
    grant usage on schema ${PROGRESS} to tocsin_pipeline; grant select, insert, update on ${PROGRESS}.positions to tocsin_pipeline`);
}

class Restore {
  events = 0;
  repeated = 0;
  strange = 0;
  readonly incomplete = new Set<string>();
  private turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly options: RestoreOptions,
    private readonly tx: Tx,
  ) {}

  /** Reads every partition to the end that it had at the beginning. */
  async read(): Promise<void> {
    const { eventLog, group } = this.options;
    const { partitions } = await eventLog.offsets(TOPIC);
    const next = await this.positions();
    const left = new Map(
      partitions
        .filter(({ partition, first, end }) => (next.get(partition) ?? first) < end)
        .map((one) => [one.partition, one.end]),
    );
    if (left.size === 0) return;
    const done = Promise.withResolvers<void>();
    const consumer = await eventLog.consume(
      {
        ...{ topic: TOPIC, group, mode: 'group' },
        onAssigned: ({ partition }, { first }) => Promise.resolve({ seek: next.get(partition) ?? first }),
      },
      async (batch) => {
        try {
          const end = batch.records.at(-1)!.offset + 1n;
          // One connection: batches of several partitions take turns.
          await (this.turn = this.turn.then(() => this.take(batch)));
          const { partition } = batch.source;
          if (end >= (left.get(partition) ?? 0n)) left.delete(partition);
          if (left.size === 0) done.resolve();
          return { kind: 'committed', next: end };
        } catch (error) {
          done.reject(error);
          return { kind: 'halt', reason: 'handler-contract', detail: String(error) };
        }
      },
    );
    await done.promise.finally(() => consumer.close());
  }

  private async positions(): Promise<Map<number, bigint>> {
    const { rows } = await this.tx.query<{ partition: number; next_offset: string }>(
      `select partition, next_offset from ${PROGRESS}.positions`,
    );
    return new Map(rows.map(({ partition, next_offset }) => [partition, BigInt(next_offset)]));
  }

  private take(batch: LogBatch): Promise<void> {
    const { tx } = this;
    return within(tx, 'read committed', async () => {
      const restored = batch.records.filter(isEvent).map(restoredOf);
      const fresh = await this.fresh(restored);
      if (fresh.length > 0) await insertRestored(tx, fresh, workspacesOf(batch.records));
      this.strange += await eraseRestored(
        tx,
        fresh.filter(({ event }) => event.type === 'PayloadErased'),
      );
      await tx.query(
        `insert into ${PROGRESS}.positions values ($1, $2) on conflict (partition) do update set next_offset = excluded.next_offset`,
        [batch.source.partition, String(batch.records.at(-1)!.offset + 1n)],
      );
      this.events += fresh.length;
    });
  }

  /** What goes on a stream where it ends: neither repeats, nor what lies behind a beginning that is gone. */
  private async fresh(restored: readonly RestoredEvent[]): Promise<RestoredEvent[]> {
    const heads = await restoredHeads(this.tx, [...new Set(restored.map(({ event }) => event.stream))]);
    return restored.filter(({ event }) => {
      const head = heads.get(event.stream) ?? { version: 0, hash: event.prev_hash };
      if (event.version <= head.version) this.repeated += 1;
      else if (event.version > head.version + 1) {
        if (head.version > 0)
          throw new LogDamagedError(`the topic has no version ${head.version + 1} of ${event.stream}`);
        this.incomplete.add(event.stream);
      } else {
        if (event.prev_hash !== head.hash)
          throw new LogDamagedError(`${placeOf(event)} does not follow the event before it`);
        heads.set(event.stream, { version: event.version, hash: event.hash });
        return true;
      }
      return false;
    });
  }
}

const isEvent = ({ headers }: LogRecord): boolean => headers['type'] === 'incident.event.v1';
const placeOf = ({ stream, version }: PublicIncidentEvent): string => `${stream} version ${version}`;

const workspacesOf = (records: readonly LogRecord[]): Map<string, string> =>
  new Map(
    records.filter(isEvent).map(({ value }) => {
      const { event, incident } = decodeRecord('incident.event.v1', value);
      return [event.stream, incident.workspace_id];
    }),
  );

/** @throws LogDamagedError where a hash does not fit, or a release wrote it that told no salt */
function restoredOf({ value }: LogRecord): RestoredEvent {
  const { event, incident } = decodeRecord('incident.event.v1', value);
  const { id, stream, version, type, digest, prev_hash, hash, salt, data } = event;
  if (salt === undefined) throw new LogDamagedError(`${placeOf(event)} was published without its salt`);
  const body = JSON.stringify(data);
  const meta: EventMeta = {
    ...{
      id,
      workspace_id: incident.workspace_id,
      schema_version: event.schema_version,
      at: event.at,
      actor: event.actor,
    },
    ...{ cause_id: event.cause_id, cause_ordinal: event.cause_ordinal, reason: event.reason },
    config_revision: event.config_revision,
  };
  if (digestOf(Buffer.from(salt, 'hex'), Buffer.from(body, 'utf8')) !== digest)
    throw new LogDamagedError(`the content of ${placeOf(event)} is not what its digest says`);
  if (hashOf(prev_hash, { stream, version, type, meta, digest }) !== hash)
    throw new LogDamagedError(`${placeOf(event)} is not what its hash says`);
  return { event, salt, body };
}
