import { plainRules } from './configurations.ts';
import type { SentAlert } from './history.ts';
import { PlainCorrelator } from './plain-correlator.ts';
import { PlainIncidents } from './plain-incidents.ts';
import type { Fact, PlainDecision, Rules } from './plain-words.ts';
import type { Parts } from './site.ts';

/** The model as a scope of a history drives it. `configured` is what each webhook goes by now. */
export class PlainParts implements Parts<PlainDecision, Fact> {
  private readonly correlator = new PlainCorrelator();
  private readonly incidents = new PlainIncidents();

  constructor(
    private readonly alerts: readonly SentAlert[],
    private readonly configured: (webhook: string) => number,
  ) {}

  private rulesOf = (webhook: string): Rules => plainRules[this.configured(webhook)] as Rules;
  private alert = (index: number): SentAlert => this.alerts[index] as SentAlert;

  decide(index: number): PlainDecision {
    const alert = this.alert(index);
    return this.correlator.decide(alert, this.rulesOf(alert.webhook));
  }

  learn = (fact: Fact): void => this.correlator.learn(fact);

  settle(items: readonly { alert: number; decision: PlainDecision }[]): Fact[] {
    const named = items.map(({ alert, decision }) => ({ alert: this.alert(alert), decision }));
    return this.incidents.settle(named, this.rulesOf);
  }

  command = (kind: 'close' | 'reopen', incident: string, at: number): Fact[] => this.incidents[kind](incident, at);
  merge = (incident: string, into: string, at: number): Fact[] => this.incidents.merge(incident, into, at);
  incidentOf = (index: number): string | null => this.incidents.incidentOf(this.alert(index).id);
  isLive = (incident: string): boolean => this.incidents.isLive(incident);
}
