import { alertIdOf, incidentIdOf, type IncidentFact, type NormalizedAlert } from '@tocsin/contracts';
import { correlate, type CorrelationConfig, type Correlated } from './correlate.ts';
import { learn } from './learn.ts';
import { instantOf, millisOf } from './moments.ts';
import { WorkingSet } from './working-set.ts';

/** Builders and a fold for specs: meaningful defaults, times as minutes after a fixed start. */
export const START = millisOf('2026-11-21T09:00:00.000Z');
export const minute = (count: number): string => instantOf(START + count * 60_000);

export const SCOPE = 'ws_aaaaaaaaaaaaaaaaaaaaaaaaaa';
export const WEBHOOK = 'whk_aaaaaaaaaaaaaaaaaaaaaaaaaa';

export const aConfig = (
  overrides: Partial<CorrelationConfig['dedup'] & CorrelationConfig['correlation']> = {},
): CorrelationConfig => {
  const { windowHours = 24, windowFrom = 'last', reopenMinutes = 30, enabled = true, windowMinutes = 5 } = overrides;
  const { ackFromSource = true } = overrides;
  return {
    revision: 7,
    dedup: { windowHours, windowFrom, reopenMinutes, ackFromSource },
    correlation: { enabled, windowMinutes },
  };
};

/** An alert named by `receipt`, received `at` minutes after the start, with its own key and service unless given. */
export function anAlert(
  receipt: string,
  at: number,
  overrides: Partial<NormalizedAlert> & { key?: string } = {},
): NormalizedAlert {
  const { key = `key-${receipt}`, ...fields } = overrides;
  return {
    id: alertIdOf(receipt, 0),
    index: 0,
    receiptId: receipt,
    workspaceId: SCOPE,
    webhookId: WEBHOOK,
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
    scope: SCOPE,
    incidentType: null,
    customFields: {},
    fields: {},
    configRevision: 7,
    notes: [],
    ...fields,
  };
}

/** The incident that an alert of this receipt opens. */
export const openedBy = (receipt: string): string => incidentIdOf(SCOPE, alertIdOf(receipt, 0));
export const alertOf = (receipt: string): string => alertIdOf(receipt, 0);

/** A fact about an incident `at` minutes after the start. */
// eslint-disable-next-line max-params -- reads as a sentence in specs: which incident, version, time, fact, keys
export function aFact(
  incidentId: string,
  version: number,
  at: number,
  fact: IncidentFact['fact'],
  keys: string[] = [],
  alertId = '',
): IncidentFact {
  const held = keys.map((key) => ({ webhookId: WEBHOOK, dedupKey: key, resolveKey: key, alertId }));
  return { workspaceId: SCOPE, scope: SCOPE, incidentId, version, at: minute(at), fact, keys: held };
}

export const openFact = (at: number, services: string[] = []): IncidentFact['fact'] => ({
  kind: 'open',
  severity: 'high',
  services,
  lastAlertAt: minute(at),
});

/** The fold as the service runs it: alerts and facts in log order over one state. */
export class Scenario {
  readonly state = new WorkingSet();

  constructor(private readonly config: CorrelationConfig = aConfig()) {}

  alert(alert: NormalizedAlert): Correlated {
    const answer = correlate(this.state, alert, this.config);
    this.state.apply(answer.changes);
    return answer;
  }

  fact(fact: IncidentFact): this {
    this.state.apply(learn(this.state, fact));
    return this;
  }

  given(...inputs: (NormalizedAlert | IncidentFact)[]): this {
    for (const input of inputs)
      if ('fact' in input) this.fact(input);
      else this.alert(input);
    return this;
  }
}
