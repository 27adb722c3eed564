import {
  alertIdOf,
  decodeRecord,
  encodeRecord,
  incidentIdOf,
  type AlertsCorrelated,
  type ConfigurationDocument,
  type CorrelationBasis,
  type IncidentFact,
  type MuteDocument,
  type NormalizedAlert,
  type TopologyDocument,
  type WebhookDocument,
  type WorkspaceDocument,
} from '@tocsin/contracts';
import {
  compileMute,
  correlate,
  defaultCorrelation,
  learn,
  surroundingsOf,
  webhookCorrelation,
  withSurroundings,
  WorkingSet,
  type CorrelationConfig,
} from '@tocsin/domain/correlation';
import { StaticConfigurationFeed } from '@tocsin/nest-shell';
import {
  createPools,
  withWorkspace,
  type Input,
  type Output,
  type Pools,
  type Stage,
  type Verdict,
} from '@tocsin/postgres';
import { testDatabase, uniquePrefix } from '@tocsin/testing';
import fc from 'fast-check';
import type { PoolClient } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { correlateStage, type HeardBatch } from './correlate-batch.ts';
import { WebhookRules } from './webhook-rules.ts';

const START = Date.parse('2026-11-21T09:00:00.000Z');
const minute = (count: number): string => new Date(START + count * 60_000).toISOString();
const DAY = 24 * 60;

let database: Awaited<ReturnType<typeof testDatabase>>;
let pools: Pools;
beforeAll(async () => {
  database = await testDatabase({
    migrations: [{ schema: 'dedup_correlator', directory: new URL('./migrations/', import.meta.url) }],
  });
  pools = createPools({ connectionString: database.url, applicationName: 'correlate-batch.int.spec', max: 2 });
});
afterAll(async () => {
  await pools.close();
  await database.drop();
});

/** One workspace's log, and the service that folds it: a new one after each restart. */
class Workspace {
  readonly scope = `ws_${uniquePrefix()}`;
  private offset = 0n;
  private stage: Stage<HeardBatch>;

  /** `perScope`: a scope with more open incidents than this asks the tables for its candidates. */
  constructor(
    private readonly feed = new StaticConfigurationFeed(),
    private readonly perScope?: number,
  ) {
    this.stage = newStage(feed, perScope);
  }

  alert(receipt: string, at: number, fields: Partial<NormalizedAlert> & { key?: string } = {}): NormalizedAlert {
    const { key = `key-${receipt}`, ...others } = fields;
    return {
      id: this.alertId(receipt),
      index: 0,
      receiptId: `${this.scope}-${receipt}`,
      workspaceId: this.scope,
      webhookId: 'whk_one',
      connector: 'generic',
      kind: 'alert',
      status: 'triggered',
      severity: 'high',
      title: 'Disk is full',
      description: '',
      services: [],
      tags: [],
      source: null,
      url: null,
      occurredAt: null,
      occurredAtOrders: false,
      receivedAt: minute(at),
      dedupKey: key,
      dedupKeyOrigin: 'connector',
      resolveKey: key,
      firingKey: null,
      scope: this.scope,
      incidentType: null,
      customFields: {},
      fields: {},
      configRevision: 0,
      notes: [],
      ...others,
    };
  }

  fact(incidentId: string, version: number, at: number, fact: IncidentFact['fact'], key?: string): IncidentFact {
    const keys = key ? [{ webhookId: 'whk_one', dedupKey: key, resolveKey: key, alertId: 'alr_x' }] : [];
    return { workspaceId: this.scope, scope: this.scope, incidentId, version, at: minute(at), fact, keys };
  }

  alertId = (receipt: string): string => alertIdOf(`${this.scope}-${receipt}`, 0);
  openedBy = (receipt: string): string => incidentIdOf(this.scope, this.alertId(receipt));

  /** One input record: the alerts of one receipt, or a fact. */
  record(content: NormalizedAlert[] | IncidentFact): Input {
    const base = { offset: this.offset++, key: this.scope, headers: { traceparent: '00-trace' }, timestamp: START };
    if (!Array.isArray(content))
      return { ...base, type: 'incident.fact.v1', value: Buffer.from(encodeRecord('incident.fact.v1', content)) };
    const { receiptId, workspaceId, webhookId, scope, receivedAt } = content[0] as NormalizedAlert;
    const value = encodeRecord('alerts.normalized.v1', {
      receiptId,
      workspaceId,
      webhookId,
      scope,
      receivedAt,
      receiptTotal: content.length,
      alerts: content,
    });
    return { ...base, type: 'alerts.normalized.v1', value: Buffer.from(value) };
  }

  /** Handles one batch in one transaction, as commitBatch does. */
  async handle(
    inputs: Input[],
    onStatement?: (text: string) => void,
  ): Promise<{ verdicts: Verdict[]; outputs: Output[] }> {
    return runBatch(this.stage, inputs, onStatement);
  }

  /** Alerts one record each, in one batch; what was decided about each. */
  async fold(...contents: (NormalizedAlert | IncidentFact)[]) {
    const { outputs } = await this.handle(
      contents.map((content) => this.record('fact' in content ? content : [content])),
    );
    return outputs.flatMap((output) =>
      correlatedOf(output).alerts.map(({ decision, why }) => ({ decision, reason: why.reason })),
    );
  }

  /** The same, and the transaction is taken back. */
  async attempt(inputs: Input[]): Promise<void> {
    const tx = await pools.pipeline.connect();
    try {
      await tx.query('begin');
      const result = await this.stage.apply(tx, inputs, await this.stage.load(inputs));
      await result.writes;
    } finally {
      await tx.query('rollback');
      tx.release();
    }
  }

  restart(): void {
    this.stage = newStage(this.feed, this.perScope);
  }
}

const newStage = (feed = new StaticConfigurationFeed(), perScope = 100_000) =>
  correlateStage(new WebhookRules(feed), { perScope, all: 1_000_000 });
const correlatedOf = (output: Output): AlertsCorrelated => decodeRecord('alerts.correlated.v1', output.value);
const countOf = async (table: string, scope: string): Promise<number> =>
  Number(
    (await pools.pipeline.query(`select count(*) from dedup_correlator.${table} where scope = $1`, [scope])).rows[0]
      ?.count,
  );

/** The client, with everybody told of its statements. */
const watched = (tx: PoolClient, onStatement: (text: string) => void): PoolClient =>
  new Proxy(tx, {
    get: (target, name) =>
      name === 'query'
        ? (...args: [string, unknown[]]) => (onStatement(args[0]), target.query(...args))
        : (Reflect.get(target, name) as unknown),
  });

const saidBy = ({ outputs, lots = [] }: Awaited<ReturnType<Stage<HeardBatch>['apply']>>): Output[] => [
  ...outputs,
  ...[...lots].flat(),
];

async function runBatch(
  stage: Stage<HeardBatch>,
  inputs: Input[],
  onStatement: (text: string) => void = () => undefined,
) {
  const loaded = await stage.load(inputs);
  const tx = await pools.pipeline.connect();
  try {
    await tx.query('begin');
    const result = await stage.apply(watched(tx, onStatement), inputs, loaded);
    await result.writes;
    await tx.query('commit');
    result.committed?.();
    return { ...result, outputs: saidBy(result) };
  } catch (error) {
    await tx.query('rollback');
    throw error;
  } finally {
    tx.release();
  }
}

describe('a batch of records', () => {
  it('answers every alert of every record, in order, with its receipt and its trace', async () => {
    const workspace = new Workspace();
    const [a, b] = [workspace.alert('a', 0), workspace.alert('b', 0, { key: 'key-a' })];
    const { outputs, verdicts } = await workspace.handle([
      workspace.record([a, { ...b, index: 1 }]),
      workspace.record([a]),
    ]);
    expect(verdicts).toEqual([{ kind: 'handled' }, { kind: 'handled' }]);
    expect(outputs.map(({ topic, key, by, headers }) => ({ topic, key, by, headers }))).toEqual(
      [0n, 1n].map((input) => ({
        topic: 'alert.correlated',
        key: workspace.scope,
        by: { input },
        headers: { traceparent: '00-trace' },
      })),
    );
    const records = outputs.map(correlatedOf);
    expect(records.map(({ receiptId, receiptTotal }) => [receiptId, receiptTotal])).toEqual([
      [a.receiptId, 2],
      [a.receiptId, 1],
    ]);
    expect(records.map(({ alerts }) => alerts.map(({ decision }) => decision.kind))).toEqual([
      ['opened', 'deduplicated'],
      ['skipped'],
    ]);
    expect(records[0]?.alerts[0]?.alert).toEqual({ ...a, notes: [{ code: 'config-missing' }] });
  });

  it('costs at most four reads and five writes, however many records it has', async () => {
    const workspace = new Workspace();
    const inputs = Array.from({ length: 500 }, (_, index) =>
      workspace.record([
        workspace.alert(`n${index}`, index / 100, {
          services: [`s${index % 50}`],
          status: index % 7 ? 'triggered' : 'resolved',
          key: `k${index % 90}`,
        }),
      ]),
    );
    const stage = newStage();
    const loaded = await stage.load(inputs);
    const tx = await pools.pipeline.connect();
    const statements: string[] = [];
    const counted = watched(tx, (text) => statements.push(text.trim().split(/\s/, 1)[0] ?? ''));
    try {
      await tx.query('begin');
      const applied = await stage.apply(counted, inputs, loaded);
      await applied.writes;
      expect(saidBy(applied)).toHaveLength(500);
      await tx.query('rollback');
    } finally {
      tx.release();
    }
    const counting = statements.filter((statement) => statement !== 'set');
    expect(counting.length).toBeLessThanOrEqual(9);
    expect(counting.slice(4).length).toBeLessThanOrEqual(5);
  });

  it('can be applied without a broken alert of a packed record: its siblings are answered, as if they had come alone', async () => {
    const workspace = new Workspace();
    const stage = newStage();
    const whole = workspace.record(
      ['a', 'b', 'c'].map((receipt, index) => ({ ...workspace.alert(receipt, 0), index })),
    );
    expect(stage.parts?.count(whole)).toBe(3);
    const reduced = stage.parts?.keep(whole, [0, 2]) ?? whole;
    const tx = await pools.pipeline.connect();
    await tx.query('begin');
    const outputs = saidBy(await stage.apply(tx, [reduced], await stage.load([whole])));
    await tx.query('rollback');
    tx.release();
    expect(
      outputs
        .map(correlatedOf)
        .map(({ alerts, receiptTotal }) => [receiptTotal, alerts.map(({ alert }) => alert.index)]),
    ).toEqual([[3, [0, 2]]]);
  });

  it('goes on beside records that cannot be read', async () => {
    const workspace = new Workspace();
    const broken = (value: string, type = 'alerts.normalized.v1'): Input => ({
      ...workspace.record([workspace.alert('x', 0)]),
      type,
      value: Buffer.from(value),
    });
    const { outputs, verdicts } = await workspace.handle([
      broken('{"alerts":'),
      broken('{"scope":"s","alerts":[{"id":"x"}]}'),
      broken('null'),
      broken('{}', 'strange.v9'),
      broken('{"fact":1}', 'incident.fact.v1'),
      workspace.record([workspace.alert('a', 0)]),
    ]);
    expect(verdicts.map((verdict) => (verdict.kind === 'dead-letter' ? verdict.reason : verdict.kind))).toEqual([
      'undecodable-record',
      'schema-mismatch',
      'schema-mismatch',
      'unknown-record-type',
      'schema-mismatch',
      'handled',
    ]);
    expect(outputs).toHaveLength(1);
  });
});

describe('the state between batches', () => {
  it.each([100_000, 2, 0])(
    'gives the same answers for any batch boundaries and restarts as one fold in memory; kept: %i',
    (most) =>
      fc.assert(
        fc.asyncProperty(randomLog, randomCuts, async (steps, cuts) => {
          const workspace = new Workspace(undefined, most);
          const contents = contentsOf(workspace, steps);
          expect(await foldedInBatches(workspace, contents, cuts)).toEqual(foldedInMemory(contents));
        }),
        { numRuns: 25 },
      ),
  );

  it('answers records that are delivered again as skipped, and changes nothing', async () => {
    const workspace = new Workspace();
    const alerts = ['a', 'b', 'c'].map((receipt, index) =>
      workspace.alert(receipt, index, { key: 'disk', status: receipt === 'c' ? 'resolved' : 'triggered' }),
    );
    await workspace.fold(...alerts);
    const state = () =>
      pools.pipeline
        .query('select * from dedup_correlator.key_holders where scope = $1', [workspace.scope])
        .then(({ rows }) => rows as unknown[]);
    const before = await state();
    workspace.restart();
    expect((await workspace.fold(...alerts)).map(({ reason }) => reason)).toEqual([
      'already-processed',
      'already-processed',
      'already-processed',
    ]);
    expect(await state()).toEqual(before);
  });

  it('what came again in the batch before is not read again', async () => {
    const workspace = new Workspace();
    const repeat = (receipt: string, at: number) => workspace.alert(receipt, at, { key: 'disk' });
    await workspace.fold(repeat('a', 0));
    const read: string[] = [];
    const seen = (text: string) => /from dedup_correlator\.(key_holders|closings)/.exec(text)?.[1];
    const { outputs } = await workspace.handle([workspace.record([repeat('b', 1)])], (text) => {
      const table = text.startsWith('\nselect') ? seen(text) : undefined;
      if (table) read.push(table);
    });
    expect(correlatedOf(outputs[0] as Output).alerts[0]?.decision.kind).toBe('deduplicated');
    expect(read).toEqual([]);
  });

  it.each(['touched', 'saved'] as const)('rows that somebody has deleted are noticed: %s', async (how) => {
    const workspace = new Workspace();
    const over = how === 'touched' ? {} : { resolveKey: 'other' };
    await workspace.fold(workspace.alert('a', 0, { key: 'disk' }), workspace.alert('x', 0, { services: ['db'] }));
    await pools.pipeline.query('delete from dedup_correlator.known_incidents where scope = $1', [workspace.scope]);
    await pools.pipeline.query('delete from dedup_correlator.key_holders where scope = $1', [workspace.scope]);
    const inputs = [workspace.record([workspace.alert('b', 1, { key: 'disk', ...over })])];
    await expect(workspace.handle(inputs)).rejects.toThrow('gone');
    const { outputs } = await workspace.handle(inputs);
    expect(outputs.map(correlatedOf)[0]?.alerts[0]?.decision).toEqual({
      kind: 'opened',
      incidentId: workspace.openedBy('b'),
    });
  });

  it('a scope lists its open incidents by their terms once it has more than are kept', async () => {
    const workspace = new Workspace(undefined, 2);
    const listed = async () => {
      const { rows } = await pools.pipeline.query<{ n: number }>(
        'select count(*)::int as n from dedup_correlator.known_incidents where scope = $1 and listed',
        [workspace.scope],
      );
      return rows[0]?.n;
    };
    const opening = (n: number) => workspace.alert(`r${n}`, 0, { services: [`s${n}`] });
    await workspace.fold(opening(1), opening(2));
    expect(await listed()).toBe(0);
    await workspace.fold(opening(3)); // the third is one too many: from the next batch on the table is asked
    expect(await listed()).toBe(0);
    const [joined] = await workspace.fold(workspace.alert('again', 1, { services: ['s1'] }));
    expect(joined?.decision).toEqual({ kind: 'correlated', incidentId: workspace.openedBy('r1') });
    expect(await listed()).toBe(3);
    await workspace.fold(opening(4));
    expect(await listed()).toBe(4);
  });

  it('a rolled back batch leaves nothing behind', async () => {
    const workspace = new Workspace();
    const inputs = [workspace.record([workspace.alert('a', 0)])];
    const stage = newStage();
    const tx = await pools.pipeline.connect();
    await tx.query('begin');
    await (
      await stage.apply(tx, inputs, await stage.load(inputs))
    ).writes;
    await tx.query('rollback');
    tx.release();
    expect(
      (await runBatch(stage, inputs)).outputs.map((output) => correlatedOf(output).alerts[0]?.decision.kind),
    ).toEqual(['opened']);
  });
});

describe('incident facts', () => {
  it('a closed incident leads to a new one for the next trigger of its key and of its service', async () => {
    const workspace = new Workspace();
    await workspace.fold(workspace.alert('a', 0, { key: 'disk', services: ['db'] }));
    const closed = workspace.fact(workspace.openedBy('a'), 2, 1, { kind: 'closed' }, 'disk');
    expect(await workspace.fold(closed)).toEqual([]);
    const listed = `select * from dedup_correlator.known_incidents where scope = $1 and terms <> '{}'`;
    expect((await pools.pipeline.query(listed, [workspace.scope])).rows).toEqual([]);
    const [again, other] = await workspace.fold(
      workspace.alert('b', 32, { key: 'disk' }),
      workspace.alert('c', 32, { services: ['db'] }),
    );
    expect(again?.decision).toEqual({ kind: 'opened', incidentId: workspace.openedBy('b') });
    expect(other?.decision).toEqual({ kind: 'opened', incidentId: workspace.openedBy('c') });
  });

  it('a closed incident is named again by a trigger within the reopen window, and by the resolve that follows', async () => {
    const workspace = new Workspace();
    await workspace.fold(
      workspace.alert('a', 0, { key: 'disk' }),
      workspace.fact(workspace.openedBy('a'), 2, 1, { kind: 'closed' }, 'disk'),
    );
    workspace.restart();
    const [again] = await workspace.fold(workspace.alert('b', 2, { key: 'disk' }));
    expect(again).toEqual({
      decision: { kind: 'deduplicated', incidentId: workspace.openedBy('a'), alertId: workspace.alertId('a') },
      reason: 'recurrence',
    });
    workspace.restart();
    const [over] = await workspace.fold(workspace.alert('c', 3, { key: 'disk', status: 'resolved' }));
    expect(over?.decision).toMatchObject({
      kind: 'resolved',
      alertIds: [workspace.alertId('a'), workspace.alertId('b')],
    });
  });

  it('a successor holds the key that it names, after a restart too', async () => {
    const workspace = new Workspace();
    await workspace.fold(workspace.alert('a', 0, { key: 'disk' }));
    const open: IncidentFact['fact'] = { kind: 'open', severity: 'high', services: ['db'], lastAlertAt: minute(2) };
    await workspace.fold(
      workspace.fact(workspace.openedBy('a'), 2, 1, { kind: 'closed' }),
      workspace.fact('inc_next', 1, 2, open, 'disk'),
    );
    workspace.restart();
    const [same, service] = await workspace.fold(
      workspace.alert('b', 3, { key: 'disk' }),
      workspace.alert('c', 3, { services: ['db'] }),
    );
    expect(same?.decision).toEqual({ kind: 'deduplicated', incidentId: 'inc_next', alertId: 'alr_x' });
    expect(service?.decision).toEqual({ kind: 'correlated', incidentId: 'inc_next' });
  });
});

const severeOnly = (): StaticConfigurationFeed =>
  new StaticConfigurationFeed([
    {
      ...{ revision: 1, kind: 'webhook', id: 'whk_one', workspaceId: 'ws_any', deleted: false },
      body: {
        ...{ name: 'One', description: '', connector: 'generic', enabled: true, tokenHmac: 'h', sealedToken: '' },
        ...{ secrets: [], respond: 'wait', rateLimitPerHour: 0, defaultSeverity: 'medium', severityProfile: 'tocsin' },
        auth: { method: 'none', header: null, prefix: null, username: null },
        dedup: { windowHours: 24, windowFrom: 'last', reopenMinutes: 30, resolvePolicy: 'all' },
        correlation: { enabled: true, windowMinutes: 5, by: 'service' },
        rca: { autoTrigger: true, minSeverity: 'medium' },
        openWhen: { field: 'severity', operator: 'in', value: ['critical', 'high'] },
      },
    },
  ]);

describe('recorded alerts', () => {
  it('hold their key through restarts, until a promotion gives it an incident', async () => {
    const workspace = new Workspace(severeOnly());
    const low = (receipt: string, at: number) => workspace.alert(receipt, at, { key: 'k', severity: 'low' });
    const [first] = await workspace.fold(low('a', 0));
    expect(first).toEqual({
      decision: { kind: 'recorded', alertId: workspace.alertId('a'), effect: 'recorded' },
      reason: 'open-when',
    });
    workspace.restart();
    const [again] = await workspace.fold(low('b', 1));
    expect(again?.decision).toEqual({ kind: 'recorded', alertId: workspace.alertId('a'), effect: 'repeated' });
    const open: IncidentFact['fact'] = { kind: 'open', severity: 'low', services: [], lastAlertAt: minute(2) };
    await workspace.fold(workspace.fact(workspace.openedBy('a'), 1, 2, open, 'k'));
    workspace.restart();
    const [promoted] = await workspace.fold(low('c', 3));
    expect(promoted?.decision).toMatchObject({ kind: 'deduplicated', incidentId: workspace.openedBy('a') });
  });

  it('are forgotten after 8 days, keys of incidents are not', async () => {
    const workspace = new Workspace(severeOnly());
    await workspace.fold(workspace.alert('a', 0, { severity: 'low' }), workspace.alert('b', 0));
    workspace.restart();
    await workspace.fold(workspace.alert('c', 8 * DAY + 2 * 60));
    expect(await countOf('key_holders', workspace.scope)).toBe(2);
  });
});

describe('alerts above the limit', () => {
  it('share one incident through restarts, until it is closed', async () => {
    const workspace = new Workspace();
    const over = (receipt: string, at: number) => workspace.alert(receipt, at, { overLimit: true });
    const [first, second] = await workspace.fold(over('a', 0), over('b', 0));
    expect(first?.decision).toMatchObject({ kind: 'opened', rollUp: true });
    expect(second).toEqual({
      decision: { kind: 'rolled-up', incidentId: workspace.openedBy('a') },
      reason: 'over-limit',
    });
    workspace.restart();
    const [third] = await workspace.fold(over('c', 90));
    expect(third?.decision).toEqual({ kind: 'rolled-up', incidentId: workspace.openedBy('a') });
    await workspace.fold(workspace.fact(workspace.openedBy('a'), 2, 91, { kind: 'closed' }));
    workspace.restart();
    const [fourth] = await workspace.fold(over('d', 92));
    expect(fourth?.decision).toMatchObject({ kind: 'opened', incidentId: workspace.openedBy('d'), rollUp: true });
  });
});

describe('what is kept', () => {
  it('forgets answered alerts after 8 days and closings after their window, and keeps what is open', async () => {
    const workspace = new Workspace();
    await workspace.fold(
      workspace.alert('a', 0, { key: 'open' }),
      workspace.alert('b', 0, { key: 'shut' }),
      workspace.alert('c', 1, { key: 'shut', status: 'resolved' }),
      workspace.fact(workspace.openedBy('b'), 2, 1, { kind: 'closed' }),
    );
    await workspace.fold(workspace.alert('d', 7 * DAY, { key: 'other' }));
    expect(await countOf('processed_alerts', workspace.scope)).toBe(4);
    expect(await countOf('closings', workspace.scope)).toBe(0);
    await workspace.fold(workspace.alert('e', 8 * DAY + 30, { key: 'other' }));
    expect(await countOf('processed_alerts', workspace.scope)).toBe(2);
    const keys = await pools.pipeline.query<{ dedup_key: string }>(
      'select dedup_key from dedup_correlator.key_holders where scope = $1 order by 1',
      [workspace.scope],
    );
    expect(keys.rows.map((row) => row.dedup_key)).toEqual(['open', 'other']);
    expect(await countOf('known_incidents', workspace.scope)).toBe(3);
    const [late] = await workspace.fold(workspace.alert('f', 8 * DAY + 31, { key: 'open', status: 'resolved' }));
    expect(late?.decision).toMatchObject({ kind: 'resolved', incidentId: workspace.openedBy('a') });
  });
});

describe('another workspace', () => {
  it('sees no row of the correlator over REST', async () => {
    const workspace = new Workspace();
    await workspace.fold(workspace.alert('a', 0));
    await expect(
      withWorkspace(pools.rest, workspace.scope, (tx) => tx.query('select * from dedup_correlator.key_holders')),
    ).rejects.toThrow(/permission denied/);
    const forced = await pools.pipeline.query(
      `select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid and a.attname = 'workspace_id'
       where n.nspname = 'dedup_correlator' and c.relkind = 'r' and c.relrowsecurity and c.relforcerowsecurity`,
    );
    expect(Number(forced.rows[0]?.count)).toBe(5);
  });
});

type Step = {
  what: NormalizedAlert['status'] | 'closed' | 'open';
  key: string;
  services: string[];
  pause: number;
  lag: number;
  again: boolean;
};
const randomLog = fc.array(
  fc.record<Step>({
    what: fc.constantFrom(
      'triggered',
      'triggered',
      'triggered',
      'resolved',
      'acknowledged',
      'update',
      'closed',
      'open',
    ),
    key: fc.constantFrom('k1', 'k2', 'k3'),
    services: fc.subarray(['db', 'api', 'web'], { maxLength: 2 }),
    pause: fc.oneof(
      { weight: 9, arbitrary: fc.integer({ min: 0, max: 6 }) },
      { weight: 1, arbitrary: fc.constant(1500) },
    ),
    lag: fc.integer({ min: 0, max: 20 }),
    again: fc.boolean(),
  }),
  { minLength: 1, maxLength: 40 },
);

/** Alerts, repeats of whole alerts, and facts about the incident that the newest alert of the key would have opened. */
function contentsOf(workspace: Workspace, steps: Step[]): (NormalizedAlert | IncidentFact)[] {
  let at = 0;
  const last = new Map<string, string>();
  return steps.flatMap<NormalizedAlert | IncidentFact>(({ what, key, services, pause, lag, again }, index) => {
    at += pause;
    if (what === 'closed' || what === 'open') {
      const incidentId = workspace.openedBy(last.get(key) ?? 'none');
      return [
        workspace.fact(
          incidentId,
          index + 1,
          at,
          what === 'closed' ? { kind: what } : { kind: what, severity: 'high', services, lastAlertAt: minute(at) },
          key,
        ),
      ];
    }
    if (what === 'triggered') last.set(key, `r${index}`);
    const alert = workspace.alert(`r${index}`, at, {
      key,
      services,
      status: what,
      occurredAt: minute(at - lag),
      occurredAtOrders: true,
    });
    return again ? [alert, alert] : [alert];
  });
}

function foldedInMemory(contents: (NormalizedAlert | IncidentFact)[], config = defaultCorrelation) {
  const state = new WorkingSet();
  return contents.flatMap((content) => {
    if ('fact' in content) {
      state.apply(learn(state, content));
      return [];
    }
    const { changes, ...decided } = correlate(state, content, config);
    state.apply(changes);
    return [decided];
  });
}

type Cut = 'next' | 'batch' | 'restart' | 'taken back';
const randomCuts = fc.infiniteStream(fc.constantFrom<Cut>('next', 'batch', 'restart', 'taken back'));

/** The same through the database, cut into batches, with restarts between some of them; some are taken back, whole and in part, and grow. */
async function foldedInBatches(
  workspace: Workspace,
  contents: (NormalizedAlert | IncidentFact)[],
  cuts: Iterator<Cut>,
) {
  let batch: Input[] = [];
  const outputs: Output[] = [];
  for (const content of contents) {
    batch.push(workspace.record('fact' in content ? content : [content]));
    const cut = cuts.next().value as Cut;
    if (cut === 'next') continue;
    if (cut === 'taken back') {
      await workspace.attempt(batch);
      await workspace.attempt(batch.slice(batch.length >> 1));
      continue;
    }
    outputs.push(...(await workspace.handle(batch)).outputs);
    batch = [];
    if (cut === 'restart') workspace.restart();
  }
  if (batch.length > 0) outputs.push(...(await workspace.handle(batch)).outputs);
  return outputs.flatMap((output) => correlatedOf(output).alerts.map(({ alert: _, ...decided }) => decided));
}

/** A workspace that silences one key for a while, flaps at once, rolls up from the second new incident a minute, and knows a topology. */
function surrounded(by: CorrelationBasis = 'topology'): { workspace: Workspace; config: CorrelationConfig } {
  const feed = new StaticConfigurationFeed();
  const workspace = new Workspace(feed);
  const { scope: workspaceId } = workspace;
  const document = { workspaceId, deleted: false };
  const webhook = {
    ...{ ...document, kind: 'webhook', id: 'whk_one', revision: 1 },
    body: {
      dedup: { windowHours: 24, windowFrom: 'last', reopenMinutes: 30, resolvePolicy: 'all' },
      correlation: { enabled: true, windowMinutes: 5, by },
    },
  } as unknown as WebhookDocument;
  const settings = {
    ...{ ...document, kind: 'workspace', id: workspaceId, revision: 2 },
    body: {
      ...{ name: 'w', slug: 'w', wrappedDataKey: '' },
      flapping: { toggles: 1, windowMinutes: 30, holdMinutes: 9 },
      storm: { newIncidentsPerMinute: 1 },
    },
  } as WorkspaceDocument;
  const silence = {
    ...{ ...document, kind: 'silence', id: 'sil_a', revision: 3 },
    body: {
      ...{ name: 'known', comment: '', createdBy: { id: 'key', name: 'Ada' } },
      matchers: { field: 'metadata.key', operator: 'equals', value: 'k1' },
      schedule: { from: minute(5), to: minute(25), timeZone: 'UTC', recurrence: null },
    },
  } as MuteDocument;
  const topology = {
    ...{ ...document, kind: 'topology', id: 'top_a', revision: 4 },
    body: {
      dependencies: [
        { from: 'web', to: 'api' },
        { from: 'api', to: 'db' },
      ],
    },
  } as TopologyDocument;
  const documents: ConfigurationDocument[] = [webhook, settings, silence, topology];
  feed.publish(documents);
  const compiled = compileMute(silence);
  if (!compiled) throw new Error('the silence cannot be read');
  return {
    workspace,
    config: withSurroundings(webhookCorrelation(webhook), surroundingsOf(settings, [compiled], topology)),
  };
}

describe('silences, flapping, storms and topology', () => {
  it('decide the same for any batch boundaries and restarts as one fold in memory', () => {
    const seen = new Set<string>();
    return fc
      .assert(
        fc.asyncProperty(randomLog, randomCuts, fc.constantFrom('topology', 'any'), async (steps, cuts, by) => {
          const { workspace, config } = surrounded(by);
          const contents = contentsOf(workspace, steps).map((content, index) =>
            'fact' in content
              ? content
              : { ...content, fields: { key: content.dedupKey }, ...(index % 2 === 0 && { services: [] }) },
          );
          const expected = foldedInMemory(contents, config);
          for (const { why, holdUntil } of expected) seen.add(why.reason).add(holdUntil ? 'held' : 'told');
          expect(await foldedInBatches(workspace, contents, cuts)).toEqual(expected);
        }),
        { numRuns: 25, seed: 20_261_121 }, // a fixed one: that all of it is seen is asserted below
      )
      .then(() => expect([...seen]).toEqual(expect.arrayContaining(['silenced', 'storm', 'held', 'time-window'])));
  });

  it('hold a flapping key over a restart in the middle of it', async () => {
    const workspace = new Workspace();
    const turn = (at: number) =>
      workspace.alert(`t${at}`, at, { key: 'flap', status: at % 2 === 0 ? 'triggered' : 'resolved' });
    for (let at = 0; at < 5; at++) {
      await workspace.fold(turn(at));
      workspace.restart();
    }
    const { outputs } = await workspace.handle([workspace.record([turn(5)])]);
    const [sixth] = correlatedOf(outputs[0] as Output).alerts;
    expect(sixth?.holdUntil).toBe(minute(9));
    expect(sixth?.why.tried.find(({ step }) => step === 'flapping')).toMatchObject({ evidence: { toggles: 4 } });
  });

  it('go on with a storm over a restart: one row per scope, and nothing where no threshold is set', async () => {
    const { workspace } = surrounded();
    const keys = (name: string, n: number) =>
      Array.from({ length: n }, (_, index) => workspace.alert(`${name}${index}`, 30 + index / 60));
    await workspace.fold(...keys('a', 4));
    workspace.restart();
    const [after] = await workspace.fold(workspace.alert('later', 32));
    expect(after).toEqual({ reason: 'storm', decision: { kind: 'rolled-up', incidentId: workspace.openedBy('a1') } });
    expect(await countOf('storms', workspace.scope)).toBe(1);
    const calm = new Workspace();
    await calm.fold(calm.alert('a', 0), calm.alert('b', 0));
    expect(await countOf('storms', calm.scope)).toBe(0);
  });

  it('follow the configuration: a silence counts from its revision on, and its end at once', async () => {
    const feed = new StaticConfigurationFeed();
    const workspace = new Workspace(feed);
    const { scope: workspaceId } = workspace;
    const document = { workspaceId, deleted: false };
    feed.publish([
      {
        ...{ ...document, kind: 'webhook', id: 'whk_one', revision: 1 },
        body: { ...defaultCorrelation, dedup: { ...defaultCorrelation.dedup, resolvePolicy: 'all' } },
      } as unknown as WebhookDocument,
    ]);
    const silence = (revision: number, to: number, deleted = false) =>
      ({
        ...{ ...document, kind: 'silence', id: 'sil_b', revision, deleted },
        body: {
          ...{ name: 'all', comment: '', createdBy: { id: 'key', name: 'Ada' } },
          matchers: { field: 'title', operator: 'exists' },
          schedule: { from: minute(0), to: minute(to), timeZone: 'UTC', recurrence: null },
        },
      }) as MuteDocument;
    const reasonOf = async (receipt: string, at: number) =>
      (await workspace.fold(workspace.alert(receipt, at)))[0]?.reason;
    expect(await reasonOf('a', 1)).toBe('new-alert');
    feed.publish([silence(2, 60)]);
    expect(await reasonOf('b', 2)).toBe('silenced');
    feed.publish([silence(3, 3)]);
    expect([await reasonOf('c', 2.5), await reasonOf('d', 3)]).toEqual(['silenced', 'new-alert']);
    feed.publish([silence(4, 60, true)]);
    expect(await reasonOf('e', 4)).toBe('new-alert');
  });
});
