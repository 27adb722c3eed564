import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Correlated } from './correlate.ts';
import { histories } from './spec/history.ts';
import { playPlain, playReal } from './spec/play.ts';
import type { Faults } from './spec/real-parts.ts';
import type { Change, CorrelationView, KnownIncident, StoredRows } from './state.ts';

/** A view that differs from the real one in some of its answers. */
const viewOf = (view: CorrelationView, over: Partial<CorrelationView>): CorrelationView =>
  Object.assign(Object.create(view) as CorrelationView, over);
const seeing = (over: (view: CorrelationView) => Partial<CorrelationView>): Faults => ({
  view: (view) => viewOf(view, over(view)),
});
const changing = (change: (changes: Change[]) => Change[]): Faults => ({
  answer: (answer: Correlated) => ({ ...answer, changes: change(answer.changes) }),
});
const losing = (kind: keyof StoredRows): Faults => ({ restored: (rows) => ({ ...rows, [kind]: [] }) });
const oldestFirst = (list: Iterable<KnownIncident>): KnownIncident[] => [...list].reverse();

/** Each fault is small, and of a kind that people make. */
const faults: Record<string, Faults> = {
  'alert ids are forgotten': seeing(() => ({ isProcessed: () => false })),
  'closings are forgotten': seeing(() => ({ order: () => undefined })),
  'keys of a resolve are found in no order': seeing((view) => ({
    keysOf: (path) => [...view.keysOf(path)].map((key) => ({ ...key, firstAt: -key.firstAt })),
  })),
  'candidates come the least recent first': seeing((view) => ({
    openUnder: (scope, term, since) => oldestFirst(view.openUnder(scope, term, since)),
  })),
  'the time window has no start': seeing((view) => ({ openUnder: (scope, term) => view.openUnder(scope, term, 0) })),
  'closed incidents look open': seeing((view) => ({
    incident: (scope, id) => {
      const incident = view.incident(scope, id);
      return incident && { ...incident, closedAt: null };
    },
  })),
  'alerts above the limit find no incident of theirs': seeing(() => ({ rollUp: () => undefined })),
  "the source's time is ignored": { alert: (alert) => ({ ...alert, occurredAtOrders: false }) },
  "the source's time always orders": {
    alert: (alert) => ({ ...alert, occurredAtOrders: alert.occurredAt !== null }),
  },
  'a firing that goes on is news': { alert: (alert) => ({ ...alert, firingKey: null }) },
  'the window counts from the first occurrence': {
    config: (config) => ({ ...config, dedup: { ...config.dedup, windowFrom: 'first' } }),
  },
  'nothing reopens': { config: (config) => ({ ...config, dedup: { ...config.dedup, reopenMinutes: 0 } }) },
  'silences are not asked': { config: ({ mutes: _none, ...config }) => config },
  'a silence goes on for ever': {
    config: (config) => ({
      ...config,
      mutes: (config.mutes ?? []).map((mute) => ({ ...mute, periodAt: (at) => ({ from: at, to: at + 1 }) })),
    }),
  },
  'storms are not noticed': { config: ({ storm: _none, ...config }) => config },
  'a storm is over at once': seeing((view) => ({
    storm: (scope) => {
      const storm = view.storm(scope);
      return storm && { ...storm, overAt: null };
    },
  })),
  'a storm never ends': seeing((view) => ({
    storm: (scope) => {
      const storm = view.storm(scope);
      return storm && { ...storm, overAt: storm.overAt === null ? null : Infinity };
    },
  })),
  'a restart loses the storm': losing('storms'),
  'rules go by the greatest priority': {
    config: (config) => ({
      ...config,
      rules: (config.rules ?? []).map((set) => ({ ...set, possible: (alert) => set.possible(alert).toReversed() })),
    }),
  },
  'a joined incident keeps its old time': changing((changes) =>
    changes.map((change) =>
      change.kind === 'incident' && change.incident.version > 0
        ? { ...change, incident: { ...change.incident, lastAlertAt: change.incident.openedAt } }
        : change,
    ),
  ),
  'a resolved alert stays open': changing((changes) =>
    changes.map((change) => (change.kind === 'key' ? { ...change, key: { ...change.key, alertOpen: true } } : change)),
  ),
  'the newest occurrence is not kept': changing((changes) =>
    changes.map((change) =>
      change.kind === 'key' ? { ...change, key: { ...change.key, lastAlertId: change.key.alertId } } : change,
    ),
  ),
  'facts are not heard': { learned: () => [] },
  'moved keys are not heard': { learned: (changes) => changes.filter(({ kind }) => kind !== 'key') },
  'what a successor is about is not heard': {
    learned: (changes) =>
      changes.map((change) =>
        change.kind === 'incident' && change.incident.facets?.kind === null
          ? { ...change, incident: { ...change.incident, facets: null } }
          : change,
      ),
  },
  'a fact takes services away': {
    learned: (changes, { fact }) =>
      changes.map((change) =>
        change.kind === 'incident' && fact.kind === 'open'
          ? { ...change, incident: { ...change.incident, services: fact.services.slice(0, 1) } }
          : change,
      ),
  },
  'a restart loses keys': losing('keys'),
  'a restart loses closings': losing('orders'),
  'a restart loses incidents': losing('incidents'),
  'a restart loses alert ids': losing('processed'),
};

const TIMEOUT = 300_000;

describe('a fault in the fold is found by the model', () => {
  it.each(Object.entries(faults))(
    '%s',
    (_name, fault) => {
      const found = fc.check(
        fc.property(histories(1, 40), (history) => playReal(history, 1, fault).outcome === playPlain(history)),
        { numRuns: 10_000, endOnFailure: true, seed: 20_261_121 },
      );
      expect(found.failed).toBe(true);
    },
    TIMEOUT,
  );
});
