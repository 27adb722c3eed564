import {
  boundedText,
  fileUnder,
  millisOf,
  wantedTerms,
  type KeyHolder,
  type Millis,
  type OrderMemory,
} from '@tocsin/domain/correlation';
import type { Heard } from './heard.ts';
import type { RulesOf } from './webhook-rules.ts';

export interface KeyRef {
  scope: string;
  webhookId: string;
  key: string;
  /** All of it as one text. */
  path: string;
}

/** What needs no lookup. */
export interface Known {
  /** Whether all open incidents of the scope are known. */
  hasOpen(scope: string): boolean;
  key(scope: string, path: string): KeyHolder | undefined;
  /** Null: nothing is remembered. */
  closing(scope: string, path: string): OrderMemory | null | undefined;
}
const NOTHING: Known = { hasOpen: () => false, key: () => undefined, closing: () => undefined };

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
  /** What is wanted and known: it is not among the above. */
  known: { keys: KeyHolder[]; closings: OrderMemory[] };
}

/** Collects the lookups of all records, so that each table is asked once per batch; what is known is not looked up. */
export function lookupOf(heard: readonly Heard[], rulesOf: RulesOf, known: Known = NOTHING): Lookup {
  const collected = new Collector(known);
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
  private readonly knownKeys = new Map<string, KeyHolder>();
  private readonly knownClosings = new Map<string, OrderMemory | null>();

  constructor(private readonly known: Known) {}

  alert(alert: Alert, rulesOf: RulesOf): void {
    const { id, workspaceId, scope, webhookId } = alert;
    if (!this.alerts.has(id)) this.alerts.set(id, { id, workspaceId, scope, receivedAt: millisOf(alert.receivedAt) });
    if (alert.status === 'triggered' && rulesOf(alert).config.storm) this.storms.add(scope);
    const { dedupKey, resolveKey } = alert;
    const path = pathOf(scope, webhookId, dedupKey);
    const resolvePath = resolveKey === dedupKey ? path : pathOf(scope, webhookId, resolveKey);
    this.key(path, { scope, webhookId, key: dedupKey });
    this.closing(resolvePath, { scope, webhookId, key: resolveKey });
    if (alert.status === 'triggered' && alert.overLimit === true)
      this.rollUps.set(fileUnder(scope, webhookId), { scope, webhookId });
    else if (alert.status === 'triggered') {
      if (!this.known.hasOpen(scope)) this.windowOf(alert, rulesOf);
    } else note(this.resolveKeys, resolvePath, { scope, webhookId, key: resolveKey });
  }

  fact({ scope, incidentId, keys }: Fact): void {
    this.incidents.set(fileUnder(scope, incidentId), { scope, incidentId });
    for (const { webhookId, dedupKey } of keys)
      this.key(pathOf(scope, webhookId, dedupKey), { scope, webhookId, key: dedupKey });
  }

  private key(path: string, named: Named): void {
    if (this.dedupKeys.has(path) || this.knownKeys.has(path)) return;
    const known = this.known.key(named.scope, path);
    if (known) this.knownKeys.set(path, known);
    else note(this.dedupKeys, path, named);
  }

  private closing(path: string, named: Named): void {
    if (this.closings.has(path) || this.knownClosings.has(path)) return;
    const known = this.known.closing(named.scope, path);
    if (known === undefined) note(this.closings, path, named);
    else this.knownClosings.set(path, known);
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
      known: {
        keys: [...this.knownKeys.values()],
        closings: [...this.knownClosings.values()].filter((closing) => closing !== null),
      },
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

type Named = Omit<KeyRef, 'path'>;

const pathOf = (scope: string, webhookId: string, key: string): string => fileUnder(scope, webhookId, boundedText(key));

function note(refs: Map<string, KeyRef>, path: string, { scope, webhookId, key }: Named): void {
  if (!refs.has(path)) refs.set(path, { scope, webhookId, key: boundedText(key), path });
}
