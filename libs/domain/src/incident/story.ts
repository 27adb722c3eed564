import type { Actor } from '@tocsin/contracts';
import type { EditableFields, IncidentEvent, IncidentEventType } from './events.ts';

const TEXT_MAX = 200;
const short = (text: string): string => (text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX).toWellFormed()}…` : text);
const quoted = (text: string): string => `“${short(text)}”`;
const noted = (note: string | null): string => (note === null ? '' : `: ${quoted(note)}`);
const many = (count: number, one: string): string => (count === 1 ? `one ${one}` : `${count} ${one}s`);
const upper = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Who did it, as a person would say it. */
export function nameOf({ kind, id, name }: Actor): string {
  const called = name ?? id;
  switch (kind) {
    case 'webhook':
      return 'the source';
    case 'system':
      return called === null ? 'Tocsin' : `the ${called}`;
    case 'investigation':
      return 'an investigation';
    case 'user':
    case 'api-key':
      return called ?? 'somebody';
    default:
      return kind satisfies never;
  }
}

const FIELDS: Readonly<Record<keyof EditableFields, string>> = {
  title: 'title',
  description: 'description',
  url: 'link',
  priority: 'priority',
  tags: 'tags',
  services: 'services',
  incident_type: 'type',
  custom_fields: 'custom fields',
};

type Sentences = {
  [Type in IncidentEventType]: (event: Extract<IncidentEvent, { type: Type }>, by: string) => string;
};

const sentences: Sentences = {
  IncidentOpened: ({ data }) =>
    data.predecessor_id === null
      ? `Opened by an alert: ${quoted(data.alert.title)}.`
      : `Opened by an alert that came back after its incident had been closed: ${quoted(data.alert.title)}.`,
  IncidentDeclared: ({ data }, by) => `Opened by ${by}: ${quoted(data.title)}.`,
  AlertsAttached: ({ data: { alerts } }) =>
    `${upper(many(alerts.length, 'alert'))} joined: ${quoted(alerts[0]?.title ?? '')}${alerts.length > 1 ? ' and others' : ''}.`,
  OccurrencesCounted: ({ data }) => `${upper(many(data.count, 'repeat'))} of ${many(data.alerts.length, 'alert')}.`,
  AlertsResolved: ({ data: { alerts }, reason }) =>
    `${upper(many(alerts.length, 'alert'))} ${alerts.length === 1 ? 'is' : 'are'} over${END[reason ?? ''] ?? ''}.`,
  SeverityChanged: ({ data: { from, to, policy } }, by) =>
    `Severity changed from ${from} to ${to}${policy === 'person' ? ` by ${by}` : ` (severity policy ${policy})`}.`,
  IncidentAcknowledged: ({ data }, by) => `Acknowledged by ${by}${noted(data.note)}.`,
  IncidentResolved: (event, by) => `Resolved${closingOf(event, by)}${noted(event.data.note)}.`,
  IncidentReopened: ({ data }, by) =>
    data.alert_id === null ? `Reopened by ${by}${noted(data.note)}.` : 'Reopened: its alert came back.',
  IncidentSnoozed: ({ data }, by) => `Snoozed until ${data.until} by ${by}${noted(data.note)}.`,
  SnoozeEnded: ({ data }, by) => (data.by_timer ? 'The snooze is over.' : `Snooze ended by ${by}${noted(data.note)}.`),
  IncidentSuppressed: ({ data }, by) => `Suppressed by ${by}${noted(data.note)}.`,
  IncidentAssigned: ({ data: { assignee } }, by) =>
    assignee === null ? `Given back by ${by}: nobody works on it.` : `Assigned to ${short(assignee)} by ${by}.`,
  CommentAdded: ({ data }, by) => `${upper(by)} commented: ${quoted(data.text)}.`,
  IncidentEdited: ({ data }, by) => `${upper(by)} changed ${fieldsOf(data.fields)}.`,
  IncidentsMerged: ({ data }, by) => mergeOf(data, by),
  AlertsMoved: ({ data, reason }, by) =>
    `${upper(many(data.alerts.length, 'alert'))} ${data.direction === 'in' ? 'came from' : 'went to'} another incident, ${
      reason === 'merged' ? 'merged' : 'moved'
    } by ${by}${noted(data.note)}.`,
  ExternalLinkAdded: ({ data: { system, id } }) => `Linked with ${short(id)} in ${SYSTEMS[system] ?? short(system)}.`,
  PayloadErased: ({ data: { payloads, note } }, by) =>
    `The content of ${many(payloads.length, 'event')} was erased by ${by}${noted(note)}.`,
  RcaNoted: ({ data }) =>
    data.outcome === 'failed'
      ? 'The investigation found no answer.'
      : `Investigated: ${quoted(data.summary ?? 'no summary')}.`,
};

/** Other systems under their own names. */
const SYSTEMS: Readonly<Record<string, string>> = { jira: 'Jira', servicenow: 'ServiceNow', pagerduty: 'PagerDuty' };

/** One plain sentence about an event, for a timeline. It says nothing that the event does not say. */
export const tell = (event: IncidentEvent): string =>
  (sentences[event.type] as (event: IncidentEvent, by: string) => string)(event, nameOf(event.actor));

/** How an alert ended that its source did not end. */
const END: Readonly<Record<string, string>> = {
  'end-passed': ': the end that its source had stated passed without news',
  quiet: ': nothing was heard for the time that its webhook sets',
};

function closingOf({ reason, data }: Extract<IncidentEvent, { type: 'IncidentResolved' }>, by: string): string {
  switch (reason) {
    case 'merged':
      return `: merged away by ${by}`;
    case 'end-passed':
    case 'quiet':
      return END[reason] ?? '';
    case 'all-alerts-resolved':
      return ': its last open alert is over';
    case 'alert-resolved':
      return `: one alert is over, with ${many(data.open_alerts, 'alert')} still open`;
    default:
      return ` by ${by}`;
  }
}

const fieldsOf = (fields: EditableFields): string => {
  const names = (Object.keys(fields) as (keyof EditableFields)[]).map((name) => FIELDS[name]);
  return `the ${names.length > 1 ? `${names.slice(0, -1).join(', ')} and ${names.at(-1)}` : names[0]}`;
};

function mergeOf(data: Extract<IncidentEvent, { type: 'IncidentsMerged' }>['data'], by: string): string {
  if (data.role === 'merged')
    return `Merged into #${data.into.number} ${quoted(data.into.title)} by ${by}${noted(data.note)}.`;
  const taken = data.incidents.map(({ number, title }) => `#${number} ${quoted(title)}`);
  return `Took in ${taken.slice(0, 3).join(', ')}${taken.length > 3 ? ` and ${taken.length - 3} more` : ''}, merged by ${by}${noted(data.note)}.`;
}
