import { decodeRecord, type AlertsCorrelated, type CorrelatedAlert } from '@tocsin/contracts';
import {
  exists,
  RecordAlerts,
  type AlertSettled,
  type BatchPlan,
  type ExistingIncident,
  type KeyHolder,
  type World,
} from '@tocsin/domain/incident';
import type { Random } from '@tocsin/nest-shell';
import { inTurns, type Input, type Output, type Stage, type Tx, type Verdict } from '@tocsin/postgres';
import type { Pool } from 'pg';
import * as alerts from './alert-store.ts';
import { eventOutputs } from './event-outputs.ts';
import { factOutput, neverOpened } from './fact-outputs.ts';
import { appending, lockStreams, StreamConflict, type AppendedStream, type StreamHead } from './incident-log.ts';
import type { AlertPolicies } from './policies.ts';
import { lockRecorded, saveRecorded } from './recorded-store.ts';
import { outcomeOutputs, replyOutput, type SettledRecord } from './receipt-outputs.ts';
import { upsertReceipts } from './receipt-store.ts';
import { armAlertTimers } from './timer-store.ts';

/** What is read before the locks: it only says what to lock, and which alerts have their answer already. */
export interface Targets {
  settled: Map<string, AlertSettled>;
  /** Alerts that are dead letters so far. */
  dead: Set<string>;
  successors: Map<string, string>;
  /** Alerts that decisions name, and those that they were counted on. */
  named: string[];
  incidentIds: string[];
}

export interface RecordAlertsParts {
  pool: Pool;
  policies: AlertPolicies;
  random: Random;
}

/**
 * Applies correlated alerts to their incidents: one decision over the batch, and at most a few plural events per incident.
 * Runs inside the caller's transaction; repeating it with the same inputs writes nothing twice. Statements: README.md.
 */
export const recordAlertsStage = ({ pool, policies, random }: RecordAlertsParts): Stage<Targets> => ({
  async load(inputs) {
    const items = inputs.flatMap((input) => recordOf(input)?.alerts ?? []);
    await policies.settle(items.map(({ alert }) => alert.configRevision));
    return findTargets(pool, items);
  },

  async apply(tx, inputs, targets) {
    const read = inputs.map((input) => ({ input, record: recordOf(input) }));
    const readable = read.filter((one): one is { input: Input; record: AlertsCorrelated } => one.record !== undefined);
    const items = readable.flatMap(({ record }) => record.alerts);
    const { world, heads } = await lockWorld(tx, items, targets, policies);
    const recorder = new RecordAlerts(world);
    const settled = readable.map(({ input, record }): SettledRecord => {
      const answers = record.alerts.map((item) => recorder.record(item));
      const correlatedAt = new Date(input.timestamp).toISOString();
      return { input, record, answers, correlatedAt, settledAt: policies.now() };
    });
    const outputs = await write(tx, { plan: recorder.plan(), heads, settled, dead: targets.dead, random });
    return { verdicts: read.map(({ input, record }) => verdictOf(input, record)), outputs };
  },

  forget: () => undefined, // keeps no cache

  parts: {
    count: (input) => recordOf(input)?.alerts.length ?? 0,
    keep(input, indexes) {
      const record = recordOf(input);
      if (!record) return input;
      const kept = { ...record, alerts: indexes.flatMap((index) => record.alerts[index] ?? []) };
      return { ...input, value: Buffer.from(JSON.stringify(kept)) };
    },
  },
});

const decoded = new WeakMap<Input, AlertsCorrelated>();

/** The record of an input; undefined where it is none, which the verdict then says. */
function recordOf(input: Input): AlertsCorrelated | undefined {
  if (input.type !== 'alerts.correlated.v1') return undefined;
  const known = decoded.get(input);
  if (known) return known;
  try {
    const record = decodeRecord('alerts.correlated.v1', input.value);
    if (!Array.isArray(record?.alerts)) return undefined;
    decoded.set(input, record);
    return record;
  } catch {
    return undefined; // not JSON: the verdict names it
  }
}

/** How many alerts these inputs bring to each incident, as the correlator thought. */
export function broughtBy(inputs: readonly Input[]): Map<string, number> {
  const brought = new Map<string, number>();
  for (const input of inputs)
    for (const id of (recordOf(input)?.alerts ?? []).flatMap(namedIncidents))
      brought.set(id, (brought.get(id) ?? 0) + 1);
  return brought;
}

function verdictOf(input: Input, record: AlertsCorrelated | undefined): Verdict {
  if (record) return { kind: 'handled' };
  return input.type === 'alerts.correlated.v1'
    ? { kind: 'dead-letter', reason: 'undecodable-record', detail: 'the value is no record of correlated alerts' }
    : { kind: 'dead-letter', reason: 'unknown-record-type', detail: `type ${input.type}` };
}

const namedAlerts = ({ decision }: CorrelatedAlert): string[] =>
  'alertIds' in decision ? decision.alertIds : 'alertId' in decision ? [decision.alertId] : [];
const namedIncidents = ({ decision }: CorrelatedAlert): string[] =>
  'incidentId' in decision ? [decision.incidentId] : [];

/** Recorded alerts that a decision goes on with, or takes the key of. */
const recordedAlerts = ({ decision }: CorrelatedAlert): string[] => {
  if (decision.kind === 'recorded') return decision.effect === 'recorded' ? [] : [decision.alertId];
  return 'supersedes' in decision && decision.supersedes !== undefined ? [decision.supersedes] : [];
};
/** Decisions whose key may be held by somebody by now. */
const FIRING: ReadonlySet<string> = new Set(['opened', 'deduplicated', 'correlated', 'rolled-up', 'recorded']);

async function findTargets(pool: Pool, items: readonly CorrelatedAlert[]): Promise<Targets> {
  const named = [...new Set(items.flatMap(namedAlerts))];
  const { settled, dead } = await alerts.knownOutcomes(pool, [...items.map(({ alert }) => alert.id), ...named]);
  const all = [...new Set([...named, ...[...settled.values()].flatMap(({ countedOn }) => countedOn ?? [])])];
  const targets = [...new Set(items.flatMap(namedIncidents))];
  const successors = await alerts.successorChain(pool, targets);
  const owners = all.length > 0 ? await alerts.incidentsOfAlerts(pool, all) : [];
  return { settled, dead, successors, named: all, incidentIds: [...targets, ...successors.values(), ...owners] };
}

/** Locks holders, then streams, then reads what decisions look at. */
async function lockWorld(
  tx: Tx,
  items: readonly CorrelatedAlert[],
  targets: Targets,
  policies: AlertPolicies,
): Promise<{ world: World; heads: Map<string, StreamHead> }> {
  const firing = items.filter(({ decision }) => FIRING.has(decision.kind));
  const holders = await alerts.lockHolders(
    tx,
    firing.map(({ alert }) => alert),
    targets.named,
  );
  const ids = new Set([...targets.incidentIds, ...holders.map((holder) => holder.incidentId)]);
  const recorded = await lockRecorded(tx, items.flatMap(recordedAlerts));
  const heads = await lockStreams(tx, ids);
  const successors = await alerts.successorChain(tx, [...ids]);
  for (const id of successors.values())
    if (!ids.has(id)) throw new StreamConflict(`successor ${id} appeared meanwhile`);
  const known = await alerts.knownAlerts(tx, [...targets.named, ...holders.map((holder) => holder.alertId)]);
  for (const { id, incidentId } of known.values())
    if (!ids.has(incidentId)) throw new StreamConflict(`alert ${id} was moved to ${incidentId} meanwhile`);
  const incidents = new Map([...heads].map(([id, { incident }]) => [id, incident]));
  return {
    world: { incidents, holders, alerts: known, settled: targets.settled, successors, recorded, policyOf: policies.of },
    heads,
  };
}

interface Writing {
  plan: BatchPlan;
  heads: Map<string, StreamHead>;
  settled: SettledRecord[];
  dead: Set<string>;
  random: Random;
}

async function write(tx: Tx, { plan, heads, settled, dead, random }: Writing): Promise<Output[]> {
  const { streams, statements } = await appending(tx, plan.changes, heads, random);
  const inputOf = inputsOf(settled);
  let released: KeyHolder[] = [];
  let [events, replies]: Output[][] = [];
  await inTurns(
    ...statements,
    async () => (released = await alerts.releaseHolders(tx, plan.releasedAlerts, plan.releasedIncidents)),
    () => alerts.insertHolders(tx, plan.acquired),
    () => alerts.insertSuccessors(tx, plan.successors),
    () => alerts.upsertActivity(tx, plan.activity),
    () => armAlertTimers(tx, plan.activity),
    () => saveRecorded(tx, plan.recorded),
    () => alerts.insertSettled(tx, plan.settled, dead),
    () => upsertReceipts(tx, settled.map(receiptRow)),
    // What is said is put together while the server writes.
    () => (events = streams.flatMap((stream) => eventOutputs(stream, inputOf.get(stream.after.id)))),
    () => (replies = [...settled.map(replyOutput), ...outcomeOutputs(settled)]),
  );
  const facts = factOutputs(plan, streams, { heads, released, settled, inputOf });
  return [...(events ?? []), ...facts, ...(replies ?? [])];
}

const receiptRow = ({ record, correlatedAt, settledAt }: SettledRecord) => ({
  ...{
    receiptId: record.receiptId,
    workspaceId: record.workspaceId,
    webhookId: record.webhookId,
    receivedAt: record.receivedAt,
  },
  ...{ normalizedAt: record.normalizedAt ?? null, correlatedAt, settledAt },
  ...{ total: record.receiptTotal, outcome: null, reason: null, detail: null },
});

/** The first input that an incident's alerts came with. */
function inputsOf(settled: readonly SettledRecord[]): Map<string, Input> {
  const inputOf = new Map<string, Input>();
  for (const { input, answers } of settled)
    for (const { incidentId } of answers)
      if (incidentId !== null && !inputOf.has(incidentId)) inputOf.set(incidentId, input);
  return inputOf;
}

interface Around {
  heads: Map<string, StreamHead>;
  released: KeyHolder[];
  settled: SettledRecord[];
  inputOf: ReadonlyMap<string, Input>;
}

/** What the correlator is told. */
function factOutputs(plan: BatchPlan, streams: readonly AppendedStream[], around: Around): Output[] {
  const { heads, released, settled, inputOf } = around;
  const after = new Map<string, ExistingIncident>(streams.map((stream) => [stream.after.id, stream.after]));
  const last = settled.at(-1);
  if (!last) return [];
  const outputs: Output[] = [];
  for (const { incidentId, keys } of plan.facts) {
    const changed = after.get(incidentId);
    const incident = changed ?? heads.get(incidentId)?.incident;
    if (!incident || !exists(incident)) continue;
    const freed = incident.status === 'resolved' ? released.filter((holder) => holder.incidentId === incidentId) : [];
    const input = inputOf.get(incidentId) ?? last.input;
    // Without an event of its own the version is an old one, and its mark has been seen: such a fact goes by its input.
    const by: Output['by'] = changed ? { stream: incidentId, version: BigInt(changed.version), input } : { input };
    outputs.push(factOutput(incident, [...keys, ...freed], changed ? changed.updatedAt : last.record.receivedAt, by));
  }
  return [...outputs, ...plan.unopened.map((one) => neverOpened(one, { input: last.input }))];
}
