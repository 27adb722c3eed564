import type { IncidentCommandRecord, SyncNoteType } from '@tocsin/contracts';
import { isLive, type EditableFields, type ExistingIncident, type IncidentCommand } from '../incident/index.ts';
import { theirsWins } from './conflict.ts';

/** When each part of an incident was last changed here, or over another link; absent = never since it was opened. */
export type LocalChanges = Readonly<Partial<Record<string, string>>>;

export type SyncDecision =
  /** `what` names it for a refusal. */
  { kind: 'command'; command: IncidentCommand; what: string } | { kind: 'note'; type: SyncNoteType; detail: string };

/** What a change on the other side does here: commands for what wins, notes for what an earlier decision of ours overrules. */
export function commandsOf(
  record: IncidentCommandRecord,
  incident: ExistingIncident,
  changes: LocalChanges,
): SyncDecision[] {
  const { command } = record;
  switch (command.kind) {
    case 'note':
      return command.type === 'sync.linked' ? [command, linkOf(record)] : [command];
    case 'comment':
      return [{ kind: 'command', command: { kind: 'comment', text: command.text }, what: 'A comment' }];
    case 'status':
      return statusDecision(record, command, incident, changes);
    case 'fields':
      return fieldDecisions(record, command.fields, changes);
    default:
      return command satisfies never;
  }
}

/** A link that is made is also shown at the incident. */
const linkOf = ({ link, external }: IncidentCommandRecord): SyncDecision => ({
  kind: 'command',
  command: { kind: 'link', link: { system: link.system, id: external.key, url: external.url } },
  what: 'The link',
});

type Status = Extract<IncidentCommandRecord['command'], { kind: 'status' }>;

function statusDecision(
  record: IncidentCommandRecord,
  { status, external }: Status,
  incident: ExistingIncident,
  changes: LocalChanges,
): SyncDecision[] {
  if (status === incident.status) return [];
  const what = `Status “${external}”`;
  if (!theirsWins(changes['status'] ?? null, record.source_at)) return [superseded(record, what, changes['status'])];
  const note = `${record.external.key}: ${external}`;
  if (status === 'resolved') return [{ kind: 'command', command: { kind: 'resolve', note }, what }];
  const reopen: SyncDecision = { kind: 'command', command: { kind: 'reopen', note }, what };
  if (status === 'open') return [reopen];
  // Acknowledging a closed incident means that somebody works on it again.
  const acknowledge: SyncDecision = { kind: 'command', command: { kind: 'acknowledge', note }, what };
  return isLive(incident) ? [acknowledge] : [reopen, acknowledge];
}

function fieldDecisions(
  record: IncidentCommandRecord,
  { severity, assignee, ...rest }: Extract<IncidentCommandRecord['command'], { kind: 'fields' }>['fields'],
  changes: LocalChanges,
): SyncDecision[] {
  const wins = (name: string): boolean => theirsWins(changes[name] ?? null, record.source_at);
  const given = {
    ...rest,
    ...(severity === undefined ? {} : { severity }),
    ...(assignee === undefined ? {} : { assignee }),
  };
  const names = Object.keys(given);
  const fields = Object.fromEntries(Object.entries(rest).filter(([name]) => wins(name))) as EditableFields;
  const decisions: SyncDecision[] = [];
  const severityWins = severity !== undefined && wins('severity');
  if (Object.keys(fields).length > 0 || severityWins)
    decisions.push({
      kind: 'command',
      command: { kind: 'edit', fields, severity: severityWins ? severity : undefined },
      what: 'A change of fields',
    });
  if (assignee !== undefined && wins('assignee'))
    decisions.push({ kind: 'command', command: { kind: 'assign', assignee }, what: 'The assignee' });
  for (const name of names.filter((one) => !wins(one)))
    decisions.push(superseded(record, `${name} “${String(given[name as keyof typeof given])}”`, changes[name]));
  return decisions;
}

const superseded = (record: IncidentCommandRecord, what: string, ours: string | undefined): SyncDecision => ({
  kind: 'note',
  type: 'sync.superseded',
  detail: `${what} of ${record.actor.name ?? record.link.name} (${record.source_at}) in ${record.external.key} gave way to a later change here (${ours ?? ''}).`,
});
