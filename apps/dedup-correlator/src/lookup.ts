import { boundedText, fileUnder, millisOf, wantedTerms, type Millis } from '@tocsin/domain/correlation';
import type { Heard } from './heard.ts';
import type { RulesOf } from './webhook-rules.ts';

export interface KeyRef {
  scope: string;
  webhookId: string;
  key: string;
}

/** What a batch needs of the state: every row that one of its decisions may look at, each named once. */
export interface Lookup {
  /** Each id once. */
  alerts: { id: string; workspaceId: string; scope: string; receivedAt: Millis }[];
  dedupKeys: KeyRef[];
  /** Keys by which follow-ups find the open alerts of any severity. */
  resolveKeys: KeyRef[];
  closings: KeyRef[];
  incidents: { scope: string; incidentId: string }[];
  /** Candidates: open incidents under an index term that were active at or after `since`. */
  terms: { scope: string; term: string; since: Millis }[];
  /** Webhooks whose incident of alerts above the limit is wanted. */
  rollUps: { scope: string; webhookId: string }[];
  /** Scopes whose storm is wanted. */
  storms: string[];
}

/**
 * Collects the lookups of all records, so that each table is asked once per batch. Candidates of a scope whose open incidents are
 * known are not looked up.
 */
export function lookupOf(
  heard: readonly Heard[],
  rulesOf: RulesOf,
  isKnown: (scope: string) => boolean = () => false,
): Lookup {
  const collected = new Collector(isKnown);
  for (const one of heard) {
    if (one.kind === 'alerts') for (const alert of one.record.alerts) collected.alert(alert, rulesOf);
    if (one.kind === 'fact') collected.fact(one.fact);
  }
  return collected.lookup();
}

type Alert = Extract<Heard, { kind: 'alerts' }>['record']['alerts'][number];
type Fact = Extract<Heard, { kind: 'fact' }>['fact'];

class Collector {
  private readonly alerts = new Map<string, Lookup['alerts'][number]>();
  private readonly dedupKeys = new Map<string, KeyRef>();
  private readonly resolveKeys = new Map<string, KeyRef>();
  private readonly closings = new Map<string, KeyRef>();
  private readonly incidents = new Map<string, Lookup['incidents'][number]>();
  private readonly rollUps = new Map<string, Lookup['rollUps'][number]>();
  private readonly storms = new Set<string>();
  private readonly terms = new Map<string, Lookup['terms'][number]>();

  constructor(private readonly isKnown: (scope: string) => boolean) {}

  alert(alert: Alert, rulesOf: RulesOf): void {
    const { id, workspaceId, scope, webhookId } = alert;
    if (!this.alerts.has(id)) this.alerts.set(id, { id, workspaceId, scope, receivedAt: millisOf(alert.receivedAt) });
    if (alert.status === 'triggered' && rulesOf(alert).config.storm) this.storms.add(scope);
    note(this.dedupKeys, scope, webhookId, alert.dedupKey);
    note(this.closings, scope, webhookId, alert.resolveKey);
    if (alert.status === 'triggered' && alert.overLimit === true)
      this.rollUps.set(fileUnder(scope, webhookId), { scope, webhookId });
    else if (alert.status === 'triggered') {
      if (!this.isKnown(scope)) this.windowOf(alert, rulesOf);
    } else note(this.resolveKeys, scope, webhookId, alert.resolveKey);
  }

  fact({ scope, incidentId, keys }: Fact): void {
    this.incidents.set(fileUnder(scope, incidentId), { scope, incidentId });
    for (const { webhookId, dedupKey } of keys) note(this.dedupKeys, scope, webhookId, dedupKey);
  }

  lookup(): Lookup {
    return {
      alerts: [...this.alerts.values()],
      dedupKeys: [...this.dedupKeys.values()],
      resolveKeys: [...this.resolveKeys.values()],
      closings: [...this.closings.values()],
      incidents: [...this.incidents.values()],
      terms: [...this.terms.values()],
      rollUps: [...this.rollUps.values()],
      storms: [...this.storms],
    };
  }

  private windowOf(alert: Alert, rulesOf: RulesOf): void {
    const { scope } = alert;
    for (const { term, since } of wantedTerms(alert, rulesOf(alert).config))
      earliest(this.terms, term, { scope, term, since });
  }
}

/** One lookup per name goes back as far as any alert of the batch wants. */
function earliest<Ref extends { scope: string; since: Millis }>(refs: Map<string, Ref>, name: string, ref: Ref): void {
  const path = fileUnder(ref.scope, name);
  const before = refs.get(path);
  if (!before || ref.since < before.since) refs.set(path, ref);
}

function note(refs: Map<string, KeyRef>, scope: string, webhookId: string, text: string): void {
  const key = boundedText(text);
  refs.set(fileUnder(scope, webhookId, key), { scope, webhookId, key });
}
