import type { CorrelatedAlert, NormalizedAlert } from '@tocsin/contracts';
import { correlate, learn, type KeyHolder, type KnownIncident, type StoredRows } from '@tocsin/domain/correlation';
import { together, type Input, type Output, type Stage, type Tx, type Verdict } from '@tocsin/postgres';
import { BatchState } from './batch-state.ts';
import { correlatedRecords } from './correlated-records.ts';
import { loadState, prune } from './correlation-store.ts';
import { alertParts, hear, type Heard } from './heard.ts';
import { KnownRows, type Batch } from './known-rows.ts';
import { lookupOf } from './lookup.ts';
import { isAgain, isTouched, RowsGone, unansweredOf } from './narrow-writes.ts';
import type { KeptMost } from './open-scopes.ts';
import { Pruning } from './pruning.ts';
import { saveState } from './state-writes.ts';
import type { RulesOf, WebhookRules } from './webhook-rules.ts';

/** What is read before the transaction: the records, and the rules that decide about their alerts. */
export interface HeardBatch {
  /** By the value's buffer: a record that was reduced to its good alerts keeps its offset, but is heard anew. */
  heard: ReadonlyMap<Buffer, Heard>;
  rulesOf: RulesOf;
}

/**
 * Folds alerts and incident facts, in log order, into the correlator's state, and says what each alert is.
 * State is read inside the transaction, so that repeating a part of a batch sees what its other part wrote. What is kept from batch to batch is
 * as it was committed, behind the fence that keeps other owners out. Alerts are decided as new ones while the server finds out which of them
 * were answered before; if any was, all are decided again. What changes is being written while the answers are put into records.
 */
export function correlateStage(rules: Pick<WebhookRules, 'of'>, most?: KeptMost): Stage<HeardBatch> {
  const pruning = new Pruning();
  const known = new KnownRows(most);
  return {
    async load(inputs) {
      const heard = new Map(inputs.map((input) => [input.value, hear(input)]));
      const alerts = [...heard.values()].flatMap((one) => (one.kind === 'alerts' ? one.record.alerts : []));
      return { heard, rulesOf: await rules.of(alerts) };
    },

    async apply(tx, inputs, { heard: read, rulesOf }) {
      const heard = inputs.map((input) => read.get(input.value) ?? hear(input));
      const listing = await known.load(tx, scopesOfAlerts(heard));
      const kept = known.keptOf(scopesOf(heard));
      const lookup = lookupOf(heard, rulesOf, known);
      const stored = await loadState(tx, lookup, (scope, id) => known.incident(scope, id) !== undefined);
      const decide = (rows: StoredRows) => {
        for (const one of kept.values()) one?.undo();
        const state = new BatchState(rows, (scope) => kept.get(scope));
        return { loaded: rows, state, folded: heard.map((one) => fold(state, one, rulesOf)) };
      };
      const asNew = decide({ ...stored.rows, processed: [] });
      const processed = await stored.processed; // found out meanwhile
      const { loaded, state, folded } = processed.length > 0 ? decide({ ...stored.rows, processed }) : asNew;
      const changes = state.rows.changes();
      const due = pruning.due(changes);
      let pruned: string[] = [];
      const writes = write(tx, { state, changes, lookup, loaded, known, due, listing }).then(
        (left) => void (pruned = left),
        (error: unknown) => {
          if (error instanceof RowsGone) known.forget(); // somebody has deleted rows: from now on what is stored counts
          throw error;
        },
      );
      writes.catch(() => undefined); // whoever waits for it is told
      return {
        verdicts: folded.map(({ verdict }) => verdict),
        outputs: [],
        writes,
        lots: lotsOf(inputs, heard, folded),
        committed: () => {
          known.take({ lookup, loaded, changes, due, listing });
          pruning.done(due, pruned);
        },
      };
    },

    forget: () => {
      known.forget();
      pruning.forget();
    },
    parts: alertParts,
  };
}

const scopesOf = (heard: readonly Heard[]): Set<string> => {
  const scopes = scopesOfAlerts(heard);
  for (const one of heard) if (one.kind === 'fact') scopes.add(one.fact.scope);
  return scopes;
};
const scopesOfAlerts = (heard: readonly Heard[]): Set<string> =>
  new Set(heard.flatMap((one) => (one.kind === 'alerts' ? one.record.alerts.map(({ scope }) => scope) : [])));

interface Writing extends Batch {
  state: BatchState;
  known: KnownRows;
}

/** Writes what a batch has changed, and deletes what is due; the statements are sent before this returns. @returns where more is due */
async function write(tx: Tx, { state, changes, lookup, loaded, known, due }: Writing): Promise<string[]> {
  const before = {
    isAgain: (key: KeyHolder) => isAgain(key, state.rows.loadedKey(key)),
    isTouched: (incident: KnownIncident) => isTouched(incident, known.incident(incident.scope, incident.incidentId)),
    isListed: (scope: string) => !known.hasOpen(scope),
  };
  const [isComplete, pruned] = await together(
    saveState(tx, changes, before, unansweredOf(lookup, loaded, changes)),
    due.scopes.length > 0 ? prune(tx, due) : Promise.resolve([]),
  );
  if (!isComplete) throw new RowsGone();
  return pruned;
}

interface Folded {
  verdict: Verdict;
  answers: CorrelatedAlert[];
}

function fold(state: BatchState, heard: Heard, rulesOf: RulesOf): Folded {
  switch (heard.kind) {
    case 'broken':
      return { verdict: { kind: 'dead-letter', reason: heard.reason, detail: heard.detail }, answers: [] };
    case 'fact':
      state.apply(learn(state, heard.fact));
      return { verdict: { kind: 'handled' }, answers: [] };
    case 'alerts': {
      const answers = heard.record.alerts.map((alert) => answerOf(state, alert, rulesOf));
      return {
        verdict: verdictOf(answers.map(({ failure }) => failure)),
        answers: answers.map(({ answer }) => answer),
      };
    }
    default:
      return heard satisfies never;
  }
}

/** Alerts whose answers go out together. */
const LOT = 100;

/** What is said, in lots of about so many alerts, each put together when it is asked for. */
function* lotsOf(inputs: readonly Input[], heard: readonly Heard[], folded: readonly Folded[]): Generator<Output[]> {
  let lot: Output[] = [];
  let alerts = 0;
  for (const [index, one] of folded.entries()) {
    lot.push(...outputsOf(inputs[index] as Input, heard[index] as Heard, one));
    if ((alerts += one.answers.length) < LOT) continue;
    yield lot;
    [lot, alerts] = [[], 0];
  }
  if (lot.length > 0) yield lot;
}

const outputsOf = (input: Input, heard: Heard, { answers }: Folded): Output[] =>
  heard.kind === 'alerts' ? correlatedRecords(input, heard.record, answers) : [];

interface Answered {
  answer: CorrelatedAlert;
  failure: string | null;
}

/** Decides about one alert. A decision that throws is answered as ignored, so that its receipt still completes. */
function answerOf(state: BatchState, alert: NormalizedAlert, rulesOf: RulesOf): Answered {
  const { config, note } = rulesOf(alert);
  const noted = note ? { ...alert, notes: [...alert.notes, { code: note }] } : alert;
  try {
    const { changes, ...decided } = correlate(state, alert, config);
    state.apply(changes);
    return { answer: { alert: noted, ...decided }, failure: null };
  } catch (error) {
    const why = { reason: 'decision-failed' as const, tried: [], configRevision: config.revision };
    return { answer: { alert: noted, decision: { kind: 'ignored' }, why }, failure: (error as Error).message };
  }
}

function verdictOf(failures: (string | null)[]): Verdict {
  const parts = failures.flatMap((failure, index) => (failure === null ? [] : [index]));
  if (parts.length === 0) return { kind: 'handled' };
  return {
    kind: 'dead-letter',
    reason: 'decision-failed',
    detail: failures.find((failure) => failure !== null) ?? '',
    parts,
  };
}
