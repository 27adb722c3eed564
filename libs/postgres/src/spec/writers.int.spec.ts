import type { EventLog } from '@tocsin/event-log';
import { describe, expect, it } from 'vitest';
import { waitFor } from '@tocsin/testing';
import { parseMark, type Input, type Output, type Stage, type Tx } from '../index.ts';
import { endSession, methodsOf } from './faults.ts';
import { ground, log, upTo, useFreshGround } from './fresh-ground.ts';
import {
  drive,
  expectedOccurrences,
  firstOccurrences,
  inputsOf,
  insertStage,
  numberOf,
  oneBatch,
  pipelineOf,
  recordsOn,
  SCHEMA,
  seeded,
  source,
} from './kit.ts';

useFreshGround();

describe('caches', () => {
  it('equal the database after rollbacks, lost sessions and other owners', async () => {
    const random = seeded(7);
    const cache = new Map<string, number>();
    let forgotten = 0;
    let interfered = false; // by another owner: until it notices, this one's cache may be old
    const stage: Stage<undefined> = {
      load: () => Promise.resolve(undefined),
      apply: async (tx, inputs) => {
        const fresh = new Map(cache);
        if (fresh.size === 0)
          for (const { key, n } of (
            await tx.query<{ key: string; n: number }>(
              `select key, count(*)::int as n from ${SCHEMA}.applied group by 1`,
            )
          ).rows)
            fresh.set(key, n);
        for (const { key } of inputs) fresh.set(key, (fresh.get(key) ?? 0) + 1);
        const outcome = await insertStage().apply(tx, inputs, undefined);
        const dice = random();
        if (dice < 0.2) throw Object.assign(new Error('deadlock'), { code: '40P01', severity: 'ERROR' });
        if (dice < 0.4) endSession(tx);
        return { ...outcome, committed: () => fresh.forEach((n, key) => cache.set(key, n)) };
      },
      forget: () => {
        forgotten++;
        interfered = false;
        cache.clear();
      },
    };
    const pipeline = pipelineOf(ground, log);
    const other = pipelineOf(ground, log);
    const inputs = inputsOf(240);
    const stored = async (): Promise<[string, number][]> =>
      (
        await ground.rows<{ key: string; n: number }>(
          `select key, count(*)::int as n from ${SCHEMA}.applied group by 1 order by 1`,
        )
      ).map(({ key, n }) => [key, n]);
    let checks = 0;
    const before = async (): Promise<void> => {
      if (cache.size > 0 && !interfered) {
        checks++;
        expect([...cache].toSorted()).toEqual(await stored());
      }
      if (random() < 0.1) {
        const { rows } = await ground.pool.query<{ next: number }>(
          `select next_offset::int as next from ${SCHEMA}.consumer_positions`,
        );
        const next = rows[0]?.next ?? 0;
        if (next < inputs.length) {
          await oneBatch(other, inputs.slice(next, next + 2), insertStage());
          interfered = true;
        }
      }
    };
    const results = await drive({ pipeline, inputs, stage, size: () => 1 + Math.floor(random() * 4), before });
    expect(checks).toBeGreaterThan(10);
    expect(forgotten).toBeGreaterThan(5);
    expect(new Set(results.map(({ kind }) => kind))).toEqual(new Set(['committed', 'retry', 'overtaken']));
    expect(await ground.applied()).toEqual(upTo(240));
    await Promise.all([pipeline.close(), other.close()]);
  });
});

/** Appends one event per stream, each with the next version; locks in the order given, so that writers can meet in a deadlock. */
async function append(tx: Tx, streams: readonly string[], cause: string): Promise<Output[]> {
  const outputs: Output[] = [];
  for (const stream of streams) {
    await tx.query(`insert into ${SCHEMA}.streams values ($1, 0) on conflict do nothing`, [stream]);
    const { rows } = await tx.query<{ version: string }>(
      `select version from ${SCHEMA}.streams where id = $1 for update`,
      [stream],
    );
    const known = await tx.query(`select from ${SCHEMA}.events where stream = $1 and cause = $2`, [stream, cause]);
    if (known.rowCount) continue;
    const version = BigInt(rows[0]!.version) + 1n;
    await tx.query(`insert into ${SCHEMA}.events values ($1, $2, $3)`, [stream, version.toString(), cause]);
    await tx.query(`update ${SCHEMA}.streams set version = $2 where id = $1`, [stream, version.toString()]);
    outputs.push({
      topic: 'incident.events',
      key: stream,
      type: 'test.event.v1',
      value: Buffer.from(JSON.stringify({ n: Number(version) })),
      by: { stream, version },
    });
  }
  return outputs;
}

describe('eight writers on shared streams', () => {
  it('lose no update, keep each stream in order, and get over deadlocks', async () => {
    const streams = upTo(4).map((n) => `stream-${n}`);
    let deadlocks = 0;
    const counted = (error: Error & { code?: string }): never => {
      if (error.code === '40P01') deadlocks++;
      throw error;
    };
    const processes = [
      pipelineOf(ground, log, { publisher: 'single' }),
      pipelineOf(ground, log, { publisher: 'single' }),
    ];
    // The lock order is by id (commit-batch rule 8); a few writers break it, so that deadlocks happen.
    const pick = (random: () => number): string[] => {
      const some = streams.filter(() => random() < 0.6);
      return random() < 0.15 ? some.toReversed() : some;
    };
    const causes: [string, string[]][] = [];
    const batchWriter = (partition: number): Promise<unknown> => {
      const random = seeded(partition);
      const inputs = inputsOf(60);
      const targets = inputs.map(() => pick(random));
      inputs.forEach((_, n) => causes.push([`p${partition}/${n}`, targets[n]!]));
      const stage: Stage<undefined> = {
        ...insertStage(),
        apply: async (tx, some) => {
          const outputs: Output[] = [];
          const all = streams.filter((stream) => some.some((input) => targets[numberOf(input)]!.includes(stream)));
          if (random() < 0.9)
            await tx.query(`select from ${SCHEMA}.streams where id = any($1) order by id for update`, [all]);
          for (const input of some)
            outputs.push(
              ...(await append(tx, targets[numberOf(input)]!, `p${partition}/${numberOf(input)}`).catch(counted)),
            );
          return { verdicts: some.map(() => ({ kind: 'handled' as const })), outputs };
        },
      };
      return drive({ pipeline: processes[partition % 2]!, inputs, stage, of: source(partition), size: () => 2 });
    };
    const commandWriter = async (writer: number): Promise<void> => {
      const random = seeded(100 + writer);
      for (const n of upTo(40)) {
        const targets = pick(random);
        causes.push([`c${writer}/${n}`, targets]);
        await processes[writer % 2]!.commitCommand(async (tx) => ({
          result: undefined,
          outputs: await append(tx, targets, `c${writer}/${n}`).catch(counted),
        }));
      }
    };
    const outcomes = await Promise.allSettled([...upTo(4).map(batchWriter), ...upTo(4).map(commandWriter)]);
    expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([]);
    await processes[0]!.flush();
    const stored = await ground.rows<{ stream: string; version: string; cause: string }>(
      `select stream, version, cause from ${SCHEMA}.events order by stream, version`,
    );
    expect(stored.map(({ stream, cause }) => `${stream} ${cause}`).toSorted()).toEqual(
      causes.flatMap(([cause, targets]) => targets.map((stream) => `${stream} ${cause}`)).toSorted(),
    );
    const versions = Object.fromEntries(
      streams.map((id) => [id, upTo(stored.filter(({ stream }) => stream === id).length).map((n) => n + 1)]),
    );
    expect(firstOccurrences(await recordsOn(log, 'incident.events'))).toEqual(versions);
    expect(deadlocks, 'the writers never met in a deadlock').toBeGreaterThan(0);
    await Promise.all(processes.map((each) => each.close()));
  });
});

describe('a log that is away', () => {
  const failing = (log: EventLog): { log: EventLog; away: boolean } => {
    const state = { away: false, log: undefined as unknown as EventLog };
    state.log = {
      ...methodsOf(log),
      append: (records) => (state.away ? Promise.reject(new Error('no broker')) : log.append(records)),
    };
    return state;
  };

  it.each(['per-partition', 'single'] as const)(
    'holds back further input and publishes in order when it is back (%s)',
    async (publisher) => {
      const faulty = failing(log);
      const pipeline = pipelineOf(ground, faulty.log, { publisher });
      const inputs = inputsOf(30);
      expect(await oneBatch(pipeline, inputs.slice(0, 5), insertStage())).toMatchObject({ kind: 'committed' });
      await pipeline.flush();
      faulty.away = true;
      expect(await oneBatch(pipeline, inputs.slice(5, 10), insertStage())).toEqual({ kind: 'committed', next: 10n });
      const blocked = await waitFor(async () => {
        const result = await pipeline.commitBatch(
          { source: source(1), logId: 'log-1', inputs: inputs.slice(0, 1), heartbeat: () => Promise.resolve() },
          insertStage(1),
        );
        return publisher === 'per-partition' || result.kind === 'retry' ? result : undefined;
      });
      if (publisher === 'single') expect(blocked).toMatchObject({ kind: 'retry', reason: 'outbox-blocked' });
      expect(await oneBatch(pipeline, inputs.slice(10, 15), insertStage())).toMatchObject({
        kind: 'retry',
        reason: 'outbox-blocked',
      });
      faulty.away = false;
      await waitFor(async () => (await oneBatch(pipeline, inputs.slice(10, 15), insertStage())).kind === 'committed');
      await drive({ pipeline, inputs, stage: insertStage() });
      await pipeline.flush();
      const keys = expectedOccurrences(30);
      const seen = firstOccurrences(
        (await recordsOn(log, 'incident.events')).filter(({ headers }) =>
          parseMark(headers['mark'])?.origin.endsWith('/0'),
        ),
      );
      expect(seen).toEqual(keys);
      await pipeline.close();
    },
  );
});

describe('the single publisher', () => {
  it('of a process that is gone is followed by another one', async () => {
    const first = pipelineOf(ground, log, { publisher: 'single' });
    await oneBatch(first, inputsOf(5), insertStage());
    await first.flush();
    const second = pipelineOf(ground, log, { publisher: 'single' });
    await drive({ pipeline: second, inputs: inputsOf(10), stage: insertStage() });
    await second.flush(); // published by the first one, which was woken by a notification
    const { rows } = await ground.pool.query<{ pid: number }>(
      `select pid from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`,
    );
    expect(rows).toHaveLength(1);
    await first.close();
    await drive({ pipeline: second, inputs: inputsOf(15), stage: insertStage() });
    await second.flush();
    expect(firstOccurrences(await recordsOn(log, 'incident.events'))).toEqual(expectedOccurrences(15));
    await second.close();
  });
});

describe('commands', () => {
  it('take nothing back that was thrown, and publish nothing of it', async () => {
    const pipeline = pipelineOf(ground, log, { publisher: 'single' });
    const failed = pipeline.commitCommand(async (tx) => {
      await append(tx, ['s'], 'c');
      throw new Error('refused');
    });
    await expect(failed).rejects.toThrow('refused');
    expect(await ground.rows(`select from ${SCHEMA}.events`)).toEqual([]);
    await pipeline.commitCommand(async (tx) => ({ result: undefined, outputs: await append(tx, ['s'], 'c') }));
    await pipeline.flush();
    expect((await recordsOn(log, 'incident.events')).map(({ headers }) => headers['mark'])).toEqual(['s;1;0']);
    await pipeline.close();
  });
});

describe('marks', () => {
  it('are pruned only when no record can repeat them any more', async () => {
    const { pruneMarks, markLifeDays } = await import('../consumer-marks.ts');
    const now = new Date('2026-06-01T12:00:00Z');
    const pipeline = pipelineOf(ground, log, { now: () => now });
    const marked: Input[] = inputsOf(3).map((input, n) => ({
      ...input,
      mark: { origin: `stream-${n}`, offset: 1n, ordinal: 0 },
    }));
    await oneBatch(pipeline, marked, insertStage());
    const at = (days: number): Date => new Date(now.getTime() + days * 24 * 3600_000);
    const life = markLifeDays('alert.correlated')!;
    expect(life).toBeGreaterThan(14);
    expect(await pruneMarks(ground.pool, SCHEMA, 'alert.correlated', at(life))).toBe(0);
    expect(await pruneMarks(ground.pool, SCHEMA, 'incident.events', at(life + 1))).toBe(0);
    expect(await pruneMarks(ground.pool, SCHEMA, 'alert.correlated', at(life + 1))).toBe(3);
    await pipeline.close();
  });
});
