import type { CorrelatedAlert, NormalizedAlert } from '@tocsin/contracts';
import { correlate, learn, WorkingSet, type KeyHolder, type KnownIncident } from '@tocsin/domain/correlation';
import type { Input, Output, Stage, Verdict } from '@tocsin/postgres';
import { correlatedRecords } from './correlated-records.ts';
import { loadOpen, loadState, prune, saveState } from './correlation-store.ts';
import { alertParts, hear, type Heard } from './heard.ts';
import { lookupOf } from './lookup.ts';
import { isTouched, placeOf, RowsGone, unansweredOf } from './narrow-writes.ts';
import { OpenScopes } from './open-scopes.ts';
import { Pruning } from './pruning.ts';
import type { RulesOf, WebhookRules } from './webhook-rules.ts';

/** What is read before the transaction: the records, and the rules that decide about their alerts. */
export interface HeardBatch {
  /** By the value's buffer: a record that was reduced to its good alerts keeps its offset, but is heard anew. */
  heard: ReadonlyMap<Buffer, Heard>;
  rulesOf: RulesOf;
}

/**
 * Folds alerts and incident facts, in log order, into the correlator's state, and says what each alert is.
 * State is read inside the transaction, so that repeating a part of a batch sees what its other part wrote. Only open incidents are
 * kept from batch to batch: as they were committed, behind the fence that keeps other owners out.
 */
export function correlateStage(rules: Pick<WebhookRules, 'of'>): Stage<HeardBatch> {
  const pruning = new Pruning();
  const open = new OpenScopes();
  return {
    async load(inputs) {
      const heard = new Map(inputs.map((input) => [input.value, hear(input)]));
      const alerts = [...heard.values()].flatMap((one) => (one.kind === 'alerts' ? one.record.alerts : []));
      return { heard, rulesOf: await rules.of(alerts) };
    },

    async apply(tx, inputs, loaded) {
      const heard = inputs.map((input) => loaded.heard.get(input.value) ?? hear(input));
      await open.load(scopesOf(heard), (scope, most) => loadOpen(tx, scope, most));
      const lookup = lookupOf(heard, loaded.rulesOf, (scope) => open.of(scope) !== undefined);
      const { rows, places } = await loadState(tx, lookup, (scope, id) => open.of(scope)?.get(id) !== undefined);
      const state = new WorkingSet(rows, (scope) => open.of(scope));
      const folded = heard.map((one, index) => fold(state, one, inputs[index] as Input, loaded.rulesOf));
      const changes = state.changes();
      const before = {
        placeOf: (key: KeyHolder) => placeOf(key, state.loadedKey(key), places),
        isTouched: (incident: KnownIncident) => isTouched(incident, open.of(incident.scope)?.get(incident.incidentId)),
      };
      if (!(await saveState(tx, changes, before, unansweredOf(lookup, rows, changes)))) {
        open.forget(); // somebody has deleted rows: from now on what is stored counts
        throw new RowsGone('rows that were there are gone');
      }
      const due = pruning.due(changes);
      const pruned = due.scopes.length > 0 ? await prune(tx, due) : [];
      return {
        verdicts: folded.map(({ verdict }) => verdict),
        outputs: folded.flatMap(({ outputs }) => outputs),
        committed: () => {
          open.take(changes.incidents);
          pruning.done(due, pruned);
        },
      };
    },

    forget: () => {
      open.forget();
      pruning.forget();
    },
    parts: alertParts,
  };
}

const scopesOf = (heard: readonly Heard[]): Set<string> =>
  new Set(heard.flatMap((one) => (one.kind === 'alerts' ? one.record.alerts.map(({ scope }) => scope) : [])));

interface Folded {
  verdict: Verdict;
  outputs: Output[];
}

function fold(state: WorkingSet, heard: Heard, input: Input, rulesOf: RulesOf): Folded {
  switch (heard.kind) {
    case 'broken':
      return { verdict: { kind: 'dead-letter', reason: heard.reason, detail: heard.detail }, outputs: [] };
    case 'fact':
      state.apply(learn(state, heard.fact));
      return { verdict: { kind: 'handled' }, outputs: [] };
    case 'alerts': {
      const answers = heard.record.alerts.map((alert) => answerOf(state, alert, rulesOf));
      const outputs = correlatedRecords(
        input,
        heard.record,
        answers.map(({ answer }) => answer),
      );
      return { verdict: verdictOf(answers.map(({ failure }) => failure)), outputs };
    }
    default:
      return heard satisfies never;
  }
}

interface Answered {
  answer: CorrelatedAlert;
  failure: string | null;
}

/** Decides about one alert. A decision that throws is answered as ignored, so that its receipt still completes. */
function answerOf(state: WorkingSet, alert: NormalizedAlert, rulesOf: RulesOf): Answered {
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
