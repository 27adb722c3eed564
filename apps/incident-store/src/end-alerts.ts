import { deriveId } from '@tocsin/contracts';
import { decide, exists, isLive, isRejection, type Deadline, type OverdueAlert } from '@tocsin/domain/incident';
import type { Clock, Random } from '@tocsin/nest-shell';
import type { Pipeline, Tx } from '@tocsin/postgres';
import { releaseHolders } from './alert-store.ts';
import { appendDecided } from './append-decided.ts';
import { lockIncident } from './incident-locks.ts';
import type { AlertPolicies } from './policies.ts';
import { rearmAlertTimers } from './timer-store.ts';

/** At once; further ones are due at once, too. */
const ENDED_MAX = 1_000;

export interface EndAlertsParts {
  pipeline: Pipeline;
  policies: AlertPolicies;
  clock: Clock;
  random: Random;
}

/**
 * Ends the alerts of an incident that were not heard of until their deadlines, as far as all was heard. These are read again under the
 * lock: a timer that a refresh has overtaken ends nothing and is set to what is next. Its cause derives from the version that it found.
 */
export function endAlertsOf(
  incidentId: string,
  heard: Date,
  { pipeline, policies, clock, random }: EndAlertsParts,
): Promise<void> {
  const at = clock().toISOString();
  return pipeline.commitCommand(async (tx) => {
    const { incident, heads } = await lockIncident(tx, incidentId, true);
    const late = exists(incident) && isLive(incident) ? await overdueAlerts(tx, incidentId, heard) : [];
    const last = late.at(-1);
    const causeId = deriveId('tmr', incidentId, 'alerts', String(incident.version));
    const policy = last && policies.of(last.webhookId, 0);
    const decided = decide(
      { kind: 'end-alerts', overdue: late, resolvePolicy: policy?.resolvePolicy ?? 'all' },
      incident,
      {
        ...{ at, actor: { kind: 'system', id: null, name: 'auto-resolve timer' }, causeId },
        configRevision: policy?.configRevision ?? 0,
      },
    );
    if (!exists(incident) || isRejection(decided)) {
      await rearmAlertTimers(tx, [incidentId]);
      return { result: undefined, outputs: [] };
    }
    const { outputs } = await appendDecided(tx, incident, decided, { heads, random });
    await releaseHolders(
      tx,
      late.map(({ alertId }) => alertId),
      [],
    );
    await rearmAlertTimers(tx, [incidentId]);
    return { result: undefined, outputs };
  });
}

/** By when they were due. */
async function overdueAlerts(
  tx: Tx,
  incidentId: string,
  heard: Date,
): Promise<(OverdueAlert & { webhookId: string })[]> {
  const { rows } = await tx.query<{
    alert_id: string;
    webhook_id: string;
    ends_at: Date;
    ends_because: Deadline['reason'];
  }>(
    `select a.alert_id, a.webhook_id, s.ends_at, s.ends_because
       from incident_store.incident_alerts a join incident_store.alert_activity s on s.alert_id = a.alert_id
      where a.incident_id = $1 and a.status = 'open' and s.ends_at <= $2 order by s.ends_at, a.alert_id limit ${ENDED_MAX}`,
    [incidentId, heard],
  );
  return rows.map(({ alert_id: alertId, webhook_id: webhookId, ends_at, ends_because: reason }) => ({
    ...{ alertId, webhookId },
    deadline: { at: ends_at.toISOString(), reason },
  }));
}
