import type { Asked, ConditionSubject } from '../conditions/index.ts';
import type { AlertTests } from './alert-tests.ts';
import { Candidate } from './candidate.ts';
import type { Case } from './correlate.ts';
import { canHold, heldFor, holdsFor, metByAlert, type Pair } from './rule-plan.ts';
import type { CompiledRule, CompiledRules } from './rules.ts';
import { byActivity, type KnownIncident } from './state.ts';

/** Candidates that one rule looks at, the most recently active first. */
const CANDIDATES_MAX = 100;

/**
 * What one alert is to a set of rules. Rules share most of what they ask: a condition on the alert is asked once for all of them, and
 * rules that look under the same values share their candidates.
 */
export class RuleSearch implements Pair {
  readonly alert: ConditionSubject;
  readonly tests: AlertTests;
  /** The candidate that was compared last. */
  incident: Candidate | null = null;
  /** Lookups that were made, and beside each what it found: there are few. */
  private made: CompiledRule['termsFor'][] | undefined;
  private found: (readonly KnownIncident[])[] = [];

  constructor(
    private readonly one: Case,
    private readonly rules: CompiledRules,
  ) {
    this.alert = one.subject;
    this.tests = rules.tests;
    rules.tests.ask(one.subject);
  }

  /** Whether it can hold for the alert with some incident. */
  canHold({ plan }: CompiledRule): boolean {
    return canHold(plan, this.tests);
  }

  /** The share of its conditions that the alert meets by itself; one that compares with an incident is met for all that is known. */
  shareOfAlert({ plan, leaves }: CompiledRule): number {
    return metByAlert(plan, this.tests) / leaves;
  }

  holds({ plan }: CompiledRule, incident: KnownIncident): boolean {
    this.compareWith(incident);
    return holdsFor(plan.condition, this);
  }

  /** How many of its conditions hold with this candidate, or with none. */
  heldOf({ plan }: CompiledRule, incident: KnownIncident | undefined): number {
    this.compareWith(incident);
    return heldFor(plan.condition, this);
  }

  /** Open incidents that the rule's lookup finds, the most recently active first. */
  candidatesOf({ termsFor }: CompiledRule): readonly KnownIncident[] {
    const known = this.made && this.found[this.made.indexOf(termsFor)];
    if (known) return known;
    const found = this.lookUp(termsFor(this.alert));
    if (this.made) {
      this.made.push(termsFor);
      this.found.push(found);
    } else [this.made, this.found] = [[termsFor], [found]];
    return found;
  }

  /** The question, for what people read. */
  asked({ appliesTo }: CompiledRule, candidate: KnownIncident | undefined): Asked {
    this.compareWith(candidate);
    const { alert, incident } = this;
    return incident ? { alert, appliesTo, incident } : { alert, appliesTo };
  }

  private compareWith(incident: KnownIncident | undefined): void {
    if (!incident?.facets) this.incident = null;
    else if (this.incident?.row !== incident) this.incident = new Candidate(incident, incident.facets, this.one.config);
  }

  private lookUp(terms: readonly string[]): readonly KnownIncident[] {
    const { one, rules } = this;
    const since = rules.maxAgeMs === null ? -Infinity : one.receivedAt - rules.maxAgeMs;
    const found: KnownIncident[] = [];
    for (const term of terms) {
      let taken = 0;
      const listed = one.state.openUnder(one.alert.scope, term, since);
      if (terms.length === 1 && isShort(listed)) return listed;
      for (const incident of listed) {
        if (++taken > CANDIDATES_MAX) break;
        if (incident.facets) found.push(incident);
      }
    }
    if (terms.length < 2 || found.length < 2) return found;
    return [...new Set(found)].sort((a, b) => byActivity(b, a)).slice(0, CANDIDATES_MAX);
  }
}

/** A list that can be taken as it is. */
const isShort = (listed: Iterable<KnownIncident>): listed is readonly KnownIncident[] =>
  Array.isArray(listed) && listed.length <= CANDIDATES_MAX && listed.every(({ facets }) => facets !== null);
