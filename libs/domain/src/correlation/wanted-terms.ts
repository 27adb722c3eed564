import type { NormalizedAlert } from '@tocsin/contracts';
import type { CorrelationConfig } from './correlate.ts';
import { millisOf, MINUTE_MS, type Millis } from './moments.ts';
import { subjectOf } from './subject.ts';
import { missedSince, windowBasis } from './time-window.ts';

/** An index term that the decision about an alert may look under. */
export interface WantedTerm {
  term: string;
  since: Millis;
}

/** Every index term that a new trigger's decision may look under: those of its time window, and those of its rules. */
export function wantedTerms(alert: NormalizedAlert, config: CorrelationConfig): WantedTerm[] {
  const { enabled, windowMinutes } = config.correlation;
  if (!enabled) return [];
  const at = millisOf(alert.receivedAt);
  const since = missedSince(at, at - windowMinutes * MINUTE_MS); // what was missed is told, too
  const window = windowBasis({ config, alert }).shared.map(({ term }) => wanted(term, since));
  const subject = subjectOf(alert, config.topology);
  const rules = (config.rules ?? []).flatMap(({ maxAgeMs, rules: list }) =>
    list.flatMap((rule) => rule.termsFor(subject).map((term) => wanted(term, maxAgeMs === null ? 0 : at - maxAgeMs))),
  );
  return [...window, ...rules];
}

const wanted = (term: string, since: Millis): WantedTerm => ({ term, since });
