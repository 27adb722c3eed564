import type { IncidentFact, NormalizedAlert } from '@tocsin/contracts';
import { correlate, type CorrelationConfig, learn, WorkingSet } from '@tocsin/domain/correlation';
import { configWith, Estate, WORKSPACE } from './correlate-load.ts';
import { figure, median } from './statistics.ts';

export interface DecisionOptions {
  runs: number;
  seconds: number;
  say(line: string): void;
}

/** Of a hundred alerts: repeats, ends, joined by a rule, joined by the time window, new incidents. */
const MIX = { repeat: 60, resolve: 10, related: 12, nearby: 10, strange: 8 } as const;
type Kind = keyof typeof MIX;
const KINDS = Object.keys(MIX) as Kind[];
const ROUND = 2_000;
/** Alerts that may still end: more join than end. */
const ENDS_MOST = 1_000;

/** A correlator's state with so many open incidents, and what comes to it. */
export class Load {
  readonly state = new WorkingSet();
  private readonly estate: Estate;
  private readonly ends: NormalizedAlert[] = [];
  private readonly config: CorrelationConfig;
  private service = 0;

  constructor(incidents: number, config: CorrelationConfig) {
    this.config = config;
    this.estate = new Estate(incidents);
    for (let service = 0; service < incidents; service++) this.decide(this.estate.opening(service));
  }

  decide(alert: NormalizedAlert): ReturnType<typeof correlate> {
    const answer = correlate(this.state, alert, this.config);
    this.state.apply(answer.changes);
    return answer;
  }

  /** Alerts of one kind, made before anything is measured. Services follow each other as hashes would: in no order. */
  alerts(kind: Kind, count: number): NormalizedAlert[] {
    return Array.from({ length: count }, () => {
      this.service = (this.service + 7_919) % this.estate.services;
      if (kind === 'strange') return this.estate.strange();
      if (kind !== 'resolve') return this.estate[kind](this.service);
      const end = this.ends.shift();
      return end ? this.estate.resolve(end) : this.estate.repeat(this.service);
    });
  }

  /** Microseconds of processor time for each decision, so that other processes do not count. */
  cost(alerts: readonly NormalizedAlert[]): number {
    const opened: { incidentId: string; at: string }[] = [];
    const before = process.cpuUsage();
    for (const alert of alerts) {
      const { decision } = this.decide(alert);
      if (decision.kind === 'opened') opened.push({ incidentId: decision.incidentId, at: alert.receivedAt });
      else if (decision.kind === 'correlated' && this.ends.length < ENDS_MOST) this.ends.push(alert);
    }
    const { user, system } = process.cpuUsage(before);
    for (const one of opened) this.close(one);
    this.state.forgetChanges(); // the service begins each batch without
    return (user + system) / alerts.length;
  }

  /** What opened is closed again, so that as many incidents stay open. */
  private close({ incidentId, at }: { incidentId: string; at: string }): void {
    const closed: IncidentFact = {
      ...{ workspaceId: WORKSPACE, scope: WORKSPACE, incidentId, version: 2, at, fact: { kind: 'closed' }, keys: [] },
    };
    this.state.apply(learn(this.state, closed));
  }

  /** Decisions of each kind, weighed as in the mix: microseconds each. */
  round(): Record<Kind | 'mix', number> {
    const costs = Object.fromEntries(
      KINDS.map((kind) => [kind, this.cost(this.alerts(kind, (ROUND * MIX[kind]) / 100))]),
    ) as Record<Kind, number>;
    return { ...costs, mix: KINDS.reduce((sum, kind) => sum + (costs[kind] * MIX[kind]) / 100, 0) };
  }

  /** Rounds for so long; the first tenth compiles. */
  measure(seconds: number): Record<Kind | 'mix', number> {
    const rounds: Record<Kind | 'mix', number>[] = [];
    const start = performance.now();
    while (performance.now() - start < seconds * 1_000 || rounds.length < 5) rounds.push(this.round());
    const kept = rounds.slice(Math.ceil(rounds.length / 10));
    const of = (kind: Kind | 'mix') => median(kept.map((round) => round[kind]));
    return Object.fromEntries([...KINDS, 'mix' as const].map((kind) => [kind, of(kind)])) as Record<
      Kind | 'mix',
      number
    >;
  }
}

const perSecond = (micros: number): number => 1_000_000 / micros;

/** Decisions in memory, and how their cost grows with incidents and rules. */
export function benchDecisions({ runs, seconds, say }: DecisionOptions): Record<string, number> {
  const slice = Math.max(0.5, seconds / 5);
  const main = new Load(10_000, configWith(100));
  main.measure(slice);
  const rates: number[] = [];
  const kinds = new Map<Kind, number[]>(KINDS.map((kind) => [kind, []]));
  for (let run = 0; run < runs; run++) {
    const measured = main.measure(slice);
    rates.push(perSecond(measured.mix));
    for (const kind of KINDS) kinds.get(kind)?.push(perSecond(measured[kind]));
  }
  say(`10,000 open incidents, 100 rules; of 100 alerts ${KINDS.map((kind) => `${MIX[kind]} ${kind}`).join(', ')}`);
  say(figure('decisions, mix', rates, '/s/core'));
  for (const [kind, values] of kinds) say(figure(`  ${kind}`, values, '/s/core'));
  return { decisions_per_second: median(rates), ...growth(slice, say) };
}

const INCIDENTS = [100, 1_000, 10_000, 100_000];
const RULES = [10, 100, 1_000];

function growth(seconds: number, say: DecisionOptions['say']): Record<string, number> {
  say('Microseconds per decision:');
  say(`${'open incidents'.padEnd(16)}${RULES.map((count) => `${count} rules`.padStart(12)).join('')}`);
  const costs = new Map<string, number>();
  for (const incidents of INCIDENTS) {
    const row = RULES.map((rules) => {
      const cost = new Load(incidents, configWith(rules)).measure(seconds / 4).mix;
      costs.set(`${incidents} ${rules}`, cost);
      return cost.toFixed(2).padStart(12);
    });
    say(`${incidents.toLocaleString('en').padEnd(16)}${row.join('')}`);
  }
  const of = (incidents: number, rules: number) => costs.get(`${incidents} ${rules}`) ?? Number.NaN;
  return {
    cost_growth_100x_incidents: of(100_000, 100) / of(1_000, 100),
    cost_growth_100x_rules: of(10_000, 1_000) / of(10_000, 10),
  };
}
