import type { AlertStatus, Severity } from '@tocsin/contracts';

/** Which words mean which level: `tocsin` has five levels, `opsknight` reads "high" as critical (product P5). */
export type SeverityProfile = 'tocsin' | 'opsknight';

const tableOf = <Level extends string>(words: Partial<Record<Level, string>>): ReadonlyMap<string, Level> =>
  new Map(
    (Object.entries(words) as [Level, string][]).flatMap(([level, list]) =>
      list.split(/,\s*/).map((word): [string, Level] => [word, level]),
    ),
  );

const tocsinSeverity = tableOf<Severity>({
  critical: 'critical, crit, fatal, emergency, emerg, disaster, blocker, highest, page, down, availability',
  high: 'high, error, err, major, severe',
  medium: 'medium, moderate, warning, warn, average',
  low: 'low, minor, notice, trivial',
  info: 'info, information, informational, none, debug, lowest, ok',
});

/** Where this profile differs; words of level low have no level of their own there. */
const opsknightSeverity = tableOf<Severity>({ critical: 'high', info: 'low' });

const SCALE: readonly Severity[] = ['critical', 'critical', 'high', 'medium', 'low', 'info'];
const SCALE_WORD = /^(?:p|sev(?:erity)?)?[ -]?([0-5])\b/;

const GAP = /[\s_]/;

function wordOf(text: string): string {
  const word = text.trim().toLowerCase();
  return GAP.test(word) ? word.replaceAll(/[\s_]+/g, ' ') : word;
}

/** Level of a severity word or of a P1..P5 / SEV-1 scale (one-based, 0 is as bad as 1); undefined when unknown. */
export function severityOf(text: string, profile: SeverityProfile): Severity | undefined {
  const word = wordOf(text);
  if (profile === 'opsknight') {
    const own = opsknightSeverity.get(word);
    if (own) return own;
    const level = tocsinSeverity.get(word);
    return level === 'low' ? 'info' : (level ?? scaleOf(word));
  }
  return tocsinSeverity.get(word) ?? scaleOf(word);
}

function scaleOf(word: string): Severity | undefined {
  const digit = SCALE_WORD.exec(word)?.[1];
  return digit === undefined ? undefined : SCALE[Number(digit)];
}

const statusWords = tableOf<'triggered' | 'acknowledged' | 'resolved'>({
  triggered:
    'triggered, trigger, firing, fired, fire, alarm, alerting, alert, critical, crit, error, open, opened, active, activated, new, created, started, down, failing, failed, failure, anomalous, problem, problem open, warn, warning, no data, re-triggered, retriggered, unacknowledged, unack, reopened, reopen, unresolved',
  acknowledged:
    'acknowledged, acknowledge, ack, acked, in progress, in-progress, on hold, indeterminate, assigned, investigating',
  resolved:
    'resolved, resolve, ok, okay, recovered, recovery, closed, close, clear, cleared, normal, up, success, successful, fixed, done, completed, deactivated, inactive, cancelled, canceled, merged, manually resolved, stopped',
});

/** What a status word says about the alert; undefined when unknown. Connectors whose words differ bring their own table. */
export const statusOf = (text: string): AlertStatus | undefined => statusWords.get(wordOf(text));
