import type { Asked, IncidentSubject } from '../conditions/index.ts';
import type { Case } from './correlate.ts';
import { canHold, heldFor, holdsFor, metByAlert } from './rule-plan.ts';
import type { CompiledRule, CompiledRules } from './rules.ts';
import { byActivity, type KnownIncident } from './state.ts';
import { neighboursOf } from './subject.ts';

/** Candidates that one rule looks at, the most recently active first. */
const CANDIDATES_MAX = 100;

/**
 * What one alert is to a set of rules. Rules share most of what they ask: a condition on the alert is asked once for all of them, and
 * rules that look under the same values share their candidates.
 */
export class RuleSearch {
  /** Lookups that were made, and beside each what it found: there are few. */
  private made: CompiledRule['termsFor'][] | undefined;
  private found: (readonly KnownIncident[])[] = [];
  /** The candidate that was compared last, and as what. */
  private candidate: KnownIncident | undefined;
  private subject: IncidentSubject | undefined;

  constructor(
    private readonly one: Case,
    private readonly rules: CompiledRules,
  ) {
    rules.tests.ask(one.subject);
  }

  /** Whether it can hold for the alert with some incident. */
  canHold({ plan }: CompiledRule): boolean {
    return canHold(plan, this.rules.tests);
  }

  /** The share of its conditions that the alert meets by itself; one that compares with an incident is met for all that is known. */
  shareOfAlert({ plan, leaves }: CompiledRule): number {
    return metByAlert(plan, this.rules.tests) / leaves;
  }

  holds({ plan }: CompiledRule, incident: KnownIncident): boolean {
    return holdsFor(plan, this.pairOf(incident));
  }

  /** How many of its conditions hold with this candidate, or with none. */
  heldOf({ plan }: CompiledRule, incident: KnownIncident | undefined): number {
    return heldFor(plan, this.pairOf(incident));
  }

  /** Open incidents that the rule's lookup finds, the most recently active first. */
  candidatesOf({ termsFor }: CompiledRule): readonly KnownIncident[] {
    const known = this.made && this.found[this.made.indexOf(termsFor)];
    if (known) return known;
    const found = this.lookUp(termsFor(this.one.subject));
    if (this.made) {
      this.made.push(termsFor);
      this.found.push(found);
    } else [this.made, this.found] = [[termsFor], [found]];
    return found;
  }

  /** The question, for what people read. */
  asked({ appliesTo }: CompiledRule, candidate: KnownIncident | undefined): Asked {
    const alert = this.one.subject;
    const incident = this.subjectOf(candidate);
    return incident ? { alert, appliesTo, incident } : { alert, appliesTo };
  }

  private pairOf(incident: KnownIncident | undefined) {
    return { alert: this.one.subject, incident: this.subjectOf(incident) ?? null, tests: this.rules.tests };
  }

  private subjectOf(incident: KnownIncident | undefined): IncidentSubject | undefined {
    if (incident && incident !== this.candidate) {
      this.candidate = incident;
      this.subject = subjectOfIncident(incident, this.one);
    }
    return incident && this.subject;
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

/** The incident as conditions see it; undefined where its values are not known. */
function subjectOfIncident({ facets, services }: KnownIncident, { config }: Case): IncidentSubject | undefined {
  if (!facets) return undefined;
  const { topology } = config;
  if (!topology) {
    const { title, severity, kind, connector, webhookId, source, tags, customFields } = facets;
    return { title, severity, kind, connector, webhookId, source, tags, customFields, services };
  }
  // Worked out only where a condition asks for it.
  const near = {
    get neighbours() {
      return neighboursOf(services, topology);
    },
  };
  return Object.assign(near, facets, { services });
}
