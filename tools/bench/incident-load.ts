import {
  alertIdOf,
  incidentIdOf,
  type AlertsCorrelated,
  type CorrelatedAlert,
  type Decision,
  type NormalizedAlert,
} from '@tocsin/contracts';

/** Correlated alerts, one to a record, as single alerts of senders come. */
export interface Work {
  /** Its own keys: no other work shares them. */
  name: string;
  alerts: number;
  /** Incidents that they belong to; the first alert of each opens it. */
  incidents: number;
  /** So many alerts of an incident come one after the other. */
  burst: number;
  /** Share of the later alerts that repeat a key of theirs; the others join with new keys. */
  repeats: number;
}

interface Owner {
  workspaceId: string;
  webhookId: string;
}

const START = Date.UTC(2026, 0, 1);

function alertOf({ workspaceId, webhookId }: Owner, receiptId: string, key: string, n: number): NormalizedAlert {
  return {
    ...{
      id: alertIdOf(receiptId, 0),
      index: 0,
      receiptId,
      workspaceId,
      webhookId,
      connector: 'generic',
      kind: 'alert',
    },
    ...{ status: 'triggered', severity: 'high', title: `Latency of ${key} above 500 ms for five minutes` },
    description: 'p99 of POST /checkout is 812 ms (threshold 500 ms) on 7 of 12 instances in eu-central-1.',
    ...{ services: [`svc-${n % 97}`], tags: ['env:production', 'team:payments', 'region:eu-central-1'] },
    ...{
      source: 'monitoring',
      url: 'https://monitoring.example/alerts/4711',
      occurredAt: null,
      occurredAtOrders: false,
    },
    ...{ receivedAt: new Date(START + n).toISOString(), dedupKey: key, dedupKeyOrigin: 'mapping', resolveKey: key },
    ...{
      firingKey: null,
      scope: workspaceId,
      incidentType: null,
      customFields: {},
      fields: {},
      configRevision: 1,
      notes: [],
    },
  };
}

/** Some of the records that the correlator would say of such alerts: openings, repeats and joins, in turns over the incidents. */
export function alertsOf(owner: Owner, work: Work, from: number, count: number): AlertsCorrelated[] {
  const { name, incidents, burst, repeats } = work;
  const { workspaceId: scope } = owner;
  const receiptOf = (n: number) => `rcv_${name}_${n}`;
  return Array.from({ length: count }, (_, index): AlertsCorrelated => {
    const n = from + index;
    const own = Math.floor(n / burst) % incidents;
    const opening = alertIdOf(receiptOf(own * burst), 0);
    const incidentId = incidentIdOf(scope, opening);
    const opens = n === own * burst;
    // The golden ratio spreads the shares evenly.
    const isRepeat = !opens && (n * 0.618_034) % 1 < repeats;
    const key = isRepeat || opens ? `${name}-${own}` : `${name}-${own}-${n}`;
    const decision: Decision = opens
      ? { kind: 'opened', incidentId }
      : isRepeat
        ? { kind: 'deduplicated', incidentId, alertId: opening }
        : { kind: 'correlated', incidentId };
    const reason = opens ? 'new-alert' : isRepeat ? 'same-dedup-key' : 'time-window';
    const alert = alertOf(owner, receiptOf(n), key, n);
    const item: CorrelatedAlert = {
      ...{ alert, decision },
      why: { reason, tried: [{ step: opens ? 'open' : 'dedup', result: 'hit' }], configRevision: 1 },
    };
    return {
      ...{ receiptId: alert.receiptId, ...owner, scope, receivedAt: alert.receivedAt, receiptTotal: 1, alerts: [item] },
    };
  });
}
