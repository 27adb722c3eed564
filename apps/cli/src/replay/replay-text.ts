import type { ComparisonView } from '@tocsin/domain/replay';

type Change = ComparisonView['changes'][number];
type Incident = Change['now'][number];
type Deciding = Change['deciding'][number];
type Decision = Deciding['now'];

/** A replay as `--json` prints it. */
export interface ReplayReport extends ComparisonView {
  workspace_id: string;
  from: string;
  to: string;
  source: string;
  receipts: { read: number; skipped: Record<string, number> };
  commands: number;
}

const count = (number: number, one: string, more = `${one}s`): string =>
  `${number.toLocaleString('en')} ${number === 1 ? one : more}`;

/** A replay as people read it. */
export function replayText(report: ReplayReport, file: string): string {
  const { receipts, alerts, commands, incidents, changes } = report;
  const lines = [
    `Replay of ${report.workspace_id}, ${report.from} to ${report.to}, from ${report.source === 'log' ? 'the event log' : 'the delivery log'}`,
    `  ${count(receipts.read, 'receipt')}${skippedText(receipts.skipped)}, ${count(alerts, 'alert')}, ${count(commands, 'command')} of people`,
    `  incidents: ${incidents.now} as it is, ${incidents.proposed} with ${file}; ${incidents.unchanged} unchanged`,
    ...(changes.length === 0 ? ['', 'No incident would differ.'] : changes.flatMap(changeLines)),
  ];
  return `${lines.join('\n')}\n`;
}

function skippedText(skipped: Record<string, number>): string {
  const reasons = Object.entries(skipped).map(([reason, number]) => `${number} ${reason}`);
  return reasons.length === 0 ? '' : ` (without payload: ${reasons.join(', ')})`;
}

const TITLES: Record<Change['kind'], (change: Change) => string> = {
  join: ({ now }) => `JOIN    ${count(now.length, 'incident')} become 1`,
  split: ({ proposed }) => `SPLIT   1 incident becomes ${proposed.length}`,
  regroup: ({ now, proposed }) => `REGROUP ${now.length} incidents become ${proposed.length} others`,
  appear: () => 'APPEAR  a new incident',
  vanish: () => 'VANISH  an incident less',
  change: () => 'CHANGE  an incident has other alerts',
};

/** One change, with what it was and would be, and the alerts that decide it. */
export function changeLines(change: Change): string[] {
  const { now, proposed, deciding, differing_alerts: differing } = change;
  const more = differing - deciding.length;
  return [
    '',
    TITLES[change.kind](change),
    ...incidentLines('as it is', now),
    ...incidentLines('proposed', proposed),
    ...deciding.flatMap(decidingLines),
    ...(more > 0 ? [`  and ${count(more, 'further alert')}`] : []),
  ];
}

const incidentLines = (label: string, incidents: readonly Incident[]): string[] =>
  incidents.length === 0
    ? [`  ${label.padEnd(9)} –`]
    : incidents.map(
        ({ id, title, severity, alert_count: alerts }, index) =>
          `  ${(index === 0 ? label : '').padEnd(9)} ${id}  ${JSON.stringify(title)}  ${severity}, ${count(alerts, 'alert')}`,
      );

const decidingLines = ({ alert_id: id, title, received_at: at, now, proposed }: Deciding): string[] => [
  `  because   ${id} ${JSON.stringify(title)}, ${at}`,
  `              as it is: ${decisionText(now)}`,
  `              proposed: ${decisionText(proposed)}`,
];

/** A decision in a line: outcome, what decided, and of rules that did not, the nearest. */
export function decisionText({ outcome, reason, rule, rules_of: of, nearest_miss: nearest }: Decision): string {
  const by = rule === null ? reason : `rule ${JSON.stringify(rule)} of the ${of}`;
  if (rule !== null || nearest === null) return `${outcome}, ${by}`;
  const { held, of: conditions, failed } = nearest;
  return `${outcome}, ${by}; nearest rule ${JSON.stringify(nearest.rule)}: ${held} of ${conditions} conditions${failedText(failed)}`;
}

function failedText(failed: unknown): string {
  const [first] = Array.isArray(failed) ? (failed as Record<string, unknown>[]) : [];
  if (!first) return '';
  const { field, operator, value, found, incident, of } = first;
  const wanted = incident === undefined ? JSON.stringify(value) : `the incident's ${JSON.stringify(incident)}`;
  return `, failed ${String(field)} ${String(operator)} ${wanted} (${of === 'incident' ? 'the incident has' : 'found'} ${JSON.stringify(found)})`;
}
