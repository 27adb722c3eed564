import {
  alertIdOf,
  incidentIdOf,
  type ConditionDocument,
  type CorrelationRules,
  type NormalizedAlert,
} from '@tocsin/contracts';
import { compileRules, type CorrelationConfig } from '@tocsin/domain/correlation';

const START = Date.parse('2026-11-21T09:00:00.000Z');
export const WORKSPACE = 'ws_aaaaaaaaaaaaaaaaaaaaaaaaaa';
export const WEBHOOK = 'whk_aaaaaaaaaaaaaaaaaaaaaaaaaa';
/** Whose alerts they are. */
export interface Owner {
  workspaceId: string;
  webhookId: string;
}

/** Milliseconds between two alerts. */
const PACE = 5;

/** As a record delivers it: put together here, its texts would be put in one piece when the decision first reads them, and count there. */
const asHeard = (alert: NormalizedAlert): NormalizedAlert => JSON.parse(JSON.stringify(alert)) as NormalizedAlert;

/**
 * Alerts of an estate of `services` services on clusters of 20: each service has an incident that stays open. Everything that an
 * alert says derives from its number, so that every run sees the same.
 */
export class Estate {
  readonly services: number;
  private readonly owner: Owner;
  private sent = 0;

  constructor(services: number, owner: Owner = { workspaceId: WORKSPACE, webhookId: WEBHOOK }) {
    this.services = services;
    this.owner = owner;
  }

  private alert(key: string, service: number, over: Partial<NormalizedAlert> = {}): NormalizedAlert {
    const number = this.sent++;
    const { workspaceId, webhookId } = this.owner;
    const receiptId = `rcv_${webhookId.slice(-1)}${number}`;
    const cluster = `cluster-${Math.floor(service / 20)}`;
    return asHeard({
      ...{
        id: alertIdOf(receiptId, 0),
        index: 0,
        receiptId,
        workspaceId,
        webhookId,
        scope: workspaceId,
      },
      ...{ connector: 'generic', kind: 'alert', status: 'triggered', severity: 'high' },
      ...{ title: `Latency of service-${service} is high`, description: 'p99 above the threshold for five minutes' },
      ...{
        services: [`service-${service}`],
        tags: [`cluster:${cluster}`, 'env:production', `host:host-${number % 5_000}`],
      },
      ...{ source: 'prometheus', url: null, occurredAt: null, occurredAtOrders: false },
      receivedAt: new Date(START + number * PACE).toISOString(),
      ...{ dedupKey: key, dedupKeyOrigin: 'connector', resolveKey: key, firingKey: null, incidentType: null },
      ...{ customFields: { cluster, team: `team-${service % 50}` }, fields: { labels: { job: `job-${service}` } } },
      ...{ configRevision: 1, notes: [] },
      ...over,
    });
  }

  /** The alert that opens the incident of a service. */
  opening = (service: number): NormalizedAlert => this.alert(`open-${service}`, service);
  /** It comes again. */
  repeat = (service: number): NormalizedAlert => this.alert(`open-${service}`, service);
  /** A new key that a rule joins to the incident of its service. */
  related = (service: number): NormalizedAlert =>
    this.alert(`related-${this.sent}`, service, { title: `Errors of service-${service} above budget` });
  /** A new key of the service that no rule is about: the time window joins it. */
  nearby = (service: number): NormalizedAlert =>
    this.alert(`nearby-${this.sent}`, service, { customFields: {}, tags: [], severity: 'low' });
  /** A new key of a service that nobody has heard of: rules and window are asked in vain, and an incident opens. */
  strange = (): NormalizedAlert =>
    this.alert(`strange-${this.sent}`, 0, {
      services: [`unheard-${this.sent}`],
      tags: [`host:new-${this.sent}`],
      customFields: {},
    });
  /** The end of an alert that was sent before. */
  resolve = ({ dedupKey, services }: NormalizedAlert): NormalizedAlert =>
    this.alert(dedupKey, 0, { services, status: 'resolved' });

  openedBy = ({ scope, id }: NormalizedAlert): string => incidentIdOf(scope, id);
}

const leaf = (
  field: string,
  operator: 'equals' | 'in' | 'intersects' | 'contains',
  value: unknown,
): ConditionDocument => ({
  ...{ field, operator, value },
});

/**
 * Rules as people write them, by turns: one service and its cluster, a word of the title on the same service, a team and a tag, severe
 * alerts of a source with the same host.
 */
export function ruleDocument(count: number): CorrelationRules {
  const shapes = [
    (n: number) => [
      leaf('service', 'equals', `service-${n}`),
      leaf('custom_fields.cluster', 'equals', { incident: 'custom_fields.cluster' }),
    ],
    (n: number) => [
      leaf('title', 'contains', n % 8 === 1 ? 'Errors' : `word-${n}`),
      leaf('services', 'intersects', []),
    ],
    (n: number) => [leaf('custom_fields.team', 'equals', `group-${n}`), leaf('tags', 'intersects', [])],
    (n: number) => [
      leaf('source', 'equals', `source-${n}`),
      leaf('severity', 'in', ['critical', 'high']),
      leaf('tags', 'intersects', []),
    ],
  ];
  const rules = Array.from({ length: count }, (_, n) => ({
    ...{
      name: `rule ${n}`,
      enabled: true,
      priority: n,
      weight: 1,
      appliesTo: n % 2 === 0 ? ('both' as const) : ('alert' as const),
    },
    conditions: {
      operator: 'and' as const,
      items: (shapes[n % shapes.length] as (n: number) => ConditionDocument[])(n),
    },
  }));
  return {
    enabled: true,
    strategy: 'first',
    minMatchWeight: 0.5,
    priorityOrder: 'asc',
    candidateMaxAgeHours: 24,
    rules,
  };
}

export function configWith(rules: number): CorrelationConfig {
  const compiled = compileRules(ruleDocument(rules), 'webhook');
  return {
    revision: 1,
    dedup: { windowHours: 24, windowFrom: 'last', reopenMinutes: 30 },
    correlation: { enabled: true, windowMinutes: 5, by: 'service' },
    rules: compiled ? [compiled] : [],
  };
}
