import type { IncidentFact } from '@tocsin/contracts';
import type { Correlated } from '../correlate.ts';
import { SCOPES, type History, type Step } from './history.ts';
import { PlainParts } from './plain-parts.ts';
import type { Fact, PlainDecision } from './plain-words.ts';
import { Correlators, RealParts, type Faults } from './real-parts.ts';
import { Site, type Parts } from './site.ts';

type Configured = (scope: string) => (webhook: string) => number;

/** Plays a history through one site per scope. @returns the final incidents of each scope */
function play<Decision, Fact>(
  { alerts, steps }: History,
  partsOf: (scope: string, configured: Configured) => Parts<Decision, Fact>,
  failover: (scope: string, to: number) => void = () => undefined,
): string {
  const configuration = new Map<string, number>();
  const configured: Configured = (scope) => (webhook) => configuration.get(`${scope} ${webhook}`) ?? 0;
  const sites = new Map(SCOPES.map((scope) => [scope, new Site(partsOf(scope, configured))]));
  for (const step of steps) {
    const site = sites.get(step.scope) as Site<Decision, Fact>;
    if (step.do === 'configure') configuration.set(`${step.scope} ${step.webhook}`, step.configuration);
    else if (step.do === 'failover') failover(step.scope, step.to);
    else take(site, step);
  }
  for (const site of sites.values()) site.drain();
  return [...sites].map(([scope, site]) => `${scope}\n${site.outcome(alerts.length)}`).join('\n');
}

function take(site: Site<unknown, unknown>, step: Exclude<Step, { do: 'configure' | 'failover' }>): void {
  switch (step.do) {
    case 'send':
      site.receive(step.alert);
      site.correlate(step.correlate);
      site.settle(step.settle);
      return site.correlate(step.settle === Infinity ? Infinity : 0); // facts come back at once where nobody is late
    case 'resend':
      return site.receive(step.alert);
    case 'correlate':
      return site.correlate(step.count);
    case 'settle':
      return site.settle(step.count);
    case 'repeat-fact':
      return site.repeatFact(step.index);
    case 'close':
    case 'reopen':
      return site.command(step.do, step.alert, step.at);
    case 'merge':
      return site.merge(step.alert, step.into, step.at);
    default:
      return step satisfies never;
  }
}

export const playPlain = (history: History): string =>
  play<PlainDecision, Fact>(history, (scope, configured) => new PlainParts(history.alerts, configured(scope)));

/** The real parts, and what their correlators said. */
export function playReal(history: History, replicas = 1, faults: Faults = {}) {
  const correlators = new Correlators(replicas, faults);
  const outcome = play<Correlated, IncidentFact>(
    history,
    (scope, configured) => new RealParts(history.alerts, configured(scope), correlators),
    (scope, to) => correlators.failover(scope, to),
  );
  return { outcome, logs: correlators.logs };
}
