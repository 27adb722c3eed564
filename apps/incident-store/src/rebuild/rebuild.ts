import { createHash } from 'node:crypto';
import type { Tx } from '@tocsin/postgres';
import { buildPage, buildStreams, changedSince, pagesOf } from './build.ts';
import { differingIncidents, noteHashes, orphans, rowHashes, type RowHashes } from './compare.ts';
import { LIVE, projectionTables, SHADOW } from './projections.ts';
import { replaceLive } from './replace.ts';
import { loginSession, pipelineSession, within } from './session.ts';
import { dropShadow, openShadow, openSlices, type Run } from './shadow.ts';

export interface RebuildOptions {
  /** A login that may make a schema in its database. */
  connectionString: string;
  /** Only this workspace's incidents. */
  workspaceId?: string;
  /** Compare, and change nothing. */
  checkOnly?: boolean;
  /** What happens, for people. */
  say?(line: string): void;
}

export interface RebuildReport {
  /** Folded by this run; less than all where it went on with a killed one. */
  incidents: number;
  events: number;
  /** Rebuilt rows by table. */
  rows: Record<string, number>;
  seconds: number;
  resumed: boolean;
  /** Incidents whose live rows were not what their events say, and those of them that have the rebuilt rows now. */
  differed: number;
  replaced: number;
  /** The first of them. */
  shown: string[];
  live_hash: string;
  rebuilt_hash: string;
  equal: boolean;
}

/** Another rebuild of this database is at work. */
export class RebuildRunsError extends Error {
  readonly code = 'rebuild-runs';
}

const SESSIONS = 3;
const SHOWN = 20;
const SWITCH_AT_ONCE = 500;
/** Writers go on; so long as this many rounds leave something, something else is wrong. */
const ROUNDS_MAX = 50;
const SAY_EVERY_MS = 2_000;

/**
 * Builds every projection beside the live ones out of the log while writes go on, catches up, compares row for row, and switches the
 * incidents that differ, each under the lock of its stream (decision 27). Killed anywhere, the next run goes on.
 * @throws RebuildRunsError, LogDamagedError, UnknownEventError
 */
export async function rebuild(options: RebuildOptions): Promise<RebuildReport> {
  const login = await loginSession(options.connectionString);
  const sessions: Tx[] = [];
  try {
    await takePlace(login);
    const run = await openShadow(login, options.workspaceId);
    for (let n = 0; n < SESSIONS; n++) sessions.push(await pipelineSession(options.connectionString));
    const hashes = await rowHashes(login);
    const report = await new Rebuild({ options, sessions, run, hashes }).report();
    await dropShadow(login);
    return report;
  } finally {
    for (const client of [login, ...sessions]) await (client as typeof login).end().catch(() => undefined);
  }
}

/** One at a time per database; the server may need a moment to notice that a killed one has gone. */
async function takePlace(login: Tx): Promise<void> {
  try {
    await login.query(
      `set lock_timeout = '10s'; select pg_advisory_lock(hashtextextended('tocsin.rebuild', 0)); set lock_timeout = '5s'`,
    );
  } catch (error) {
    if ((error as { code?: string }).code === '55P03')
      throw new RebuildRunsError('another rebuild of this database runs');
    throw error;
  }
}

class Rebuild {
  private readonly started = performance.now();
  private readonly built = { incidents: 0, events: 0 };
  private position: bigint;
  private said = 0;

  private readonly options: RebuildOptions;
  private readonly sessions: readonly Tx[];
  private readonly run: Run;
  private readonly rows: RowHashes;

  constructor(parts: { options: RebuildOptions; sessions: readonly Tx[]; run: Run; hashes: RowHashes }) {
    this.options = parts.options;
    this.sessions = parts.sessions;
    this.run = parts.run;
    this.rows = parts.hashes;
    this.position = parts.run.position;
  }

  private get tx(): Tx {
    return this.sessions[0]!;
  }

  async report(): Promise<RebuildReport> {
    if (this.run.resumed) this.options.say?.('going on with what a killed run has built');
    await this.build();
    for (let round = 0; (await this.catchUp()) > SWITCH_AT_ONCE && round < ROUNDS_MAX; round++);
    await this.findOrphans();
    const found = await differingIncidents(this.tx, 1_000_000);
    const replaced = this.options.checkOnly ? 0 : await this.switchOver(found);
    await this.settle();
    const seconds = (performance.now() - this.started) / 1_000;
    const { live, rebuilt } = await this.hashes();
    return {
      ...{ ...this.built, rows: await this.counts(), seconds, resumed: this.run.resumed },
      ...{ differed: found.length, replaced, shown: found.slice(0, SHOWN) },
      ...{ live_hash: live, rebuilt_hash: rebuilt, equal: live === rebuilt },
    };
  }

  /** Sessions take slices in turn; what a slice has done is stored with it. */
  private async build(): Promise<void> {
    const slices = await openSlices(this.tx);
    const how = { hashes: this.rows, workspaceId: this.options.workspaceId };
    const work = async (tx: Tx): Promise<void> => {
      for (let slice = slices.shift(); slice; slice = slices.shift())
        for (let page = await buildPage(tx, slice, how); page;) {
          this.note(page.incidents, page.events);
          page = await buildPage(tx, slice, how);
        }
    };
    await Promise.all(this.sessions.map(work));
  }

  private note(incidents: number, events: number): void {
    this.built.incidents += incidents;
    this.built.events += events;
    const now = performance.now();
    if (now - this.said < SAY_EVERY_MS) return;
    this.said = now;
    this.options.say?.(`${this.built.events} events of ${this.built.incidents} incidents`);
  }

  /** Folds again what has got events since. @returns how many incidents that were */
  private async catchUp(): Promise<number> {
    const { ids, position } = await within(this.tx, 'repeatable read', () => this.changed());
    for await (const page of pagesOf(this.tx, ids))
      await within(this.tx, 'repeatable read', () => buildStreams(this.tx, this.rows, page));
    await this.tx.query(`update ${SHADOW}.run set position = $1`, [String(position)]);
    this.position = position;
    return ids.length;
  }

  private changed() {
    return changedSince(this.tx, this.position, this.options.workspaceId);
  }

  private async findOrphans(): Promise<void> {
    await within(this.tx, 'repeatable read', async () => {
      const ids = await orphans(this.tx, this.options.workspaceId);
      if (ids.length > 0) await noteHashes(this.tx, this.rows, ids);
    });
  }

  /** Page by page, each under the locks of its streams: nobody waits for longer than a page, and no incident is ever half switched. */
  private async switchOver(found: readonly string[]): Promise<number> {
    for await (const page of pagesOf(this.tx, found)) {
      await within(this.tx, 'read committed', async () => {
        const { rows } = await this.tx.query<{ stream_id: string; fresh: boolean }>(
          `select s.stream_id, s.version is not distinct from c.version as fresh from ${LIVE}.streams s
             left join ${SHADOW}.compared c on c.incident_id = s.stream_id
            where s.stream_id = any($1) order by s.stream_id collate "C" for update of s`,
          [page],
        );
        await buildStreams(
          this.tx,
          this.rows,
          rows.filter(({ fresh }) => !fresh).map(({ stream_id }) => stream_id),
        );
        await replaceLive(this.tx, page);
        await noteHashes(this.tx, this.rows, page);
      });
    }
    return found.length;
  }

  /** Until one snapshot holds no incident that was not compared at its version: what the hashes say is true of that moment. */
  private async settle(): Promise<void> {
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const done = await within(this.tx, 'repeatable read', async () => {
        const { ids } = await this.changed();
        if (ids.length > SWITCH_AT_ONCE) return false;
        await buildStreams(this.tx, this.rows, ids);
        return true;
      });
      if (done) return;
      await this.catchUp();
    }
    throw new Error(`writes were faster than ${ROUNDS_MAX} rounds of catching up`);
  }

  private async counts(): Promise<Record<string, number>> {
    const counted: Record<string, number> = {};
    for (const { name } of projectionTables) {
      const { rows } = await this.tx.query<{ n: string }>(`select count(*) as n from ${SHADOW}.${name}`);
      counted[name] = Number(rows[0]!.n);
    }
    return counted;
  }

  /** SHA-256 over the hashes of all incidents, in the order of their ids. */
  private hashes(): Promise<{ live: string; rebuilt: string }> {
    const [live, rebuilt] = [createHash('sha256'), createHash('sha256')];
    return within(this.tx, 'repeatable read', async () => {
      await this.tx.query(
        `declare hashes no scroll cursor for select incident_id, encode(live, 'hex') as live, encode(rebuilt, 'hex') as rebuilt
           from ${SHADOW}.compared order by incident_id collate "C"`,
      );
      for (;;) {
        const { rows } = await this.tx.query<{ incident_id: string; live: string | null; rebuilt: string | null }>(
          'fetch 10000 from hashes',
        );
        for (const row of rows) {
          if (row.live !== null) live.update(`${row.incident_id} ${row.live}\n`);
          if (row.rebuilt !== null) rebuilt.update(`${row.incident_id} ${row.rebuilt}\n`);
        }
        if (rows.length === 0) return { live: live.digest('hex'), rebuilt: rebuilt.digest('hex') };
      }
    });
  }
}
