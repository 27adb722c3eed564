import { deriveId, incidentIdOf } from '@tocsin/contracts';
import {
  deadlineOf,
  exists,
  initialState,
  promoteAlert,
  publicIncident,
  type AlertActivity,
  type Deadline,
  type KeyHolder,
  type RecordedAlert,
} from '@tocsin/domain/incident';
import { Problem, type Caller, type Clock, type Random } from '@tocsin/nest-shell';
import type { Pipeline, Tx } from '@tocsin/postgres';
import { noSuchAlert } from './alert-queries.ts';
import { insertHolders, lockHolders, upsertActivity } from './alert-store.ts';
import { actorOf, eventsOfCause } from './command-causes.ts';
import { eventOutputs } from './event-outputs.ts';
import { factOutput } from './fact-outputs.ts';
import type { CommandAnswer } from './incident-commands.ts';
import { append, lockStreams } from './incident-log.ts';
import type { AlertPolicies } from './policies.ts';
import { lockRecorded, saveRecorded } from './recorded-store.ts';
import { armAlertTimers } from './timer-store.ts';

export interface PromoteParts {
  pipeline: Pipeline;
  policies: AlertPolicies;
  clock: Clock;
  random: Random;
}

/**
 * Makes an incident of a recorded alert. Its id and cause derive from the alert: doing it again answers with the same incident
 * and writes nothing. The correlator hears that the incident holds the key, so repeats and the resolve go there.
 */
export class PromoteAlert {
  constructor(private readonly parts: PromoteParts) {}

  /** @throws Problem not-found; wrong-state where it has ended */
  run(caller: Caller, alertId: string): Promise<CommandAnswer> {
    const { pipeline, policies, clock, random } = this.parts;
    const at = clock().toISOString();
    const causeId = deriveId('cmd', alertId, 'promote');
    return pipeline.commitCommand(async (tx) => {
      const { recorded, taken } = await lockAlert(tx, caller.workspaceId, alertId);
      const { alert } = recorded;
      const incidentId = incidentIdOf(alert.scope, alert.id);
      const heads = await lockStreams(tx, [incidentId]);
      const before = heads.get(incidentId)?.incident ?? initialState(incidentId);
      if (recorded.status === 'promoted' && exists(before)) {
        const events = (await eventsOfCause(tx, incidentId, causeId)) ?? [];
        return {
          result: { incident: publicIncident(before), events: events.map(({ body: _, ...event }) => event) },
          outputs: [],
        };
      }
      const policy = policies.of(alert.webhookId, alert.configRevision);
      const context = { at, actor: actorOf(caller), causeId, configRevision: policy.configRevision };
      const promotion = promoteAlert(recorded, policy, context);
      if (promotion.kind === 'refused') throw ended(recorded);
      const [stream] = await append(tx, [{ before, events: promotion.events }], heads, random);
      if (!stream) throw new Error('a promotion wrote no event');
      const held = taken ? [] : [holderOf(recorded, incidentId)];
      await insertHolders(tx, held);
      const activity = activityOf(recorded, incidentId, deadlineOf(alert, policy));
      await upsertActivity(tx, [activity]);
      await armAlertTimers(tx, [activity]);
      await saveRecorded(tx, [{ ...recorded, status: 'promoted', incidentId, endedAt: at }]);
      const events = stream.events.map(({ id, version, event }) => ({ id, type: event.type, version, at: event.at }));
      const fact = factOutput(stream.after, held, at, { stream: incidentId, version: BigInt(stream.after.version) });
      return { result: { incident: publicIncident(stream.after), events }, outputs: [...eventOutputs(stream), fact] };
    });
  }
}

/** Holders first, then the alert, then streams: the order of every writer. `taken`: another alert has the key by now. */
async function lockAlert(
  tx: Tx,
  workspaceId: string,
  alertId: string,
): Promise<{ recorded: RecordedAlert; taken: boolean }> {
  const { rows } = await tx.query<{ alert: RecordedAlert['alert'] }>(
    'select alert from incident_store.recorded_alerts where alert_id = $1 and workspace_id = $2',
    [alertId, workspaceId],
  );
  const alert = rows[0]?.alert;
  if (!alert) throw noSuchAlert(alertId);
  const holders = await lockHolders(tx, [alert], []);
  const recorded = (await lockRecorded(tx, [alertId])).get(alertId);
  if (!recorded) throw noSuchAlert(alertId);
  return { recorded, taken: holders.length > 0 };
}

const ended = ({ status, incidentId }: RecordedAlert): Problem =>
  new Problem('wrong-state', `The alert is ${status}; only one that is still recorded can be promoted.`, {
    body: { current_status: status, incident_id: incidentId },
  });

const holderOf = ({ alert }: RecordedAlert, incidentId: string): KeyHolder => ({
  ...{ workspaceId: alert.workspaceId, scope: alert.scope, webhookId: alert.webhookId },
  ...{ dedupKey: alert.dedupKey, resolveKey: alert.resolveKey, incidentId, alertId: alert.id },
});

const activityOf = (
  { alert, lastSeenAt }: RecordedAlert,
  incidentId: string,
  deadline: Deadline | null,
): AlertActivity => ({
  ...{ alertId: alert.id, workspaceId: alert.workspaceId, incidentId, firingKey: alert.firingKey },
  ...{ firstSeenAt: alert.receivedAt, lastSeenAt, deadline },
});
