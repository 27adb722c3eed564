import { openIncident, type AlertChange } from './alert-decisions.ts';
import { event, type CommandContext } from './event.ts';
import type { IncidentEvent } from './events.ts';
import type { RecordedAlert, RecordedStatus } from './world.ts';

export type Promotion =
  { kind: 'promoted'; events: IncidentEvent[] } | { kind: 'refused'; status: Exclude<RecordedStatus, 'recorded'> };

/** A person makes an incident of a recorded alert, with the repeats it has had. Only one that is still recorded. */
export function promoteAlert(
  recorded: RecordedAlert,
  policy: AlertChange['policy'],
  context: Omit<CommandContext, 'expectedVersion'>,
): Promotion {
  const { alert, why, status, occurrences, lastSeenAt } = recorded;
  if (status !== 'recorded') return { kind: 'refused', status };
  const opened = openIncident({ alert, why, policy }, 'promoted', null).map((one) => ({
    ...one,
    at: context.at,
    actor: context.actor,
    causeId: context.causeId,
  }));
  const repeats = occurrences - 1;
  if (repeats === 0) return { kind: 'promoted', events: opened };
  const counted = event(
    { ...context, configRevision: policy.configRevision, reason: 'promoted' },
    'OccurrencesCounted',
    {
      count: repeats,
      alerts: [{ alert_id: alert.id, count: repeats, last_seen_at: lastSeenAt, alert_ids: [] }],
    },
  );
  return { kind: 'promoted', events: [...opened, counted] };
}
