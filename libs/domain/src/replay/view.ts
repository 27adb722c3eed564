import type { Comparison, DecidingAlert, ReplayedIncident } from './compare.ts';
import { explain } from './explain.ts';
import type { Replayed } from './simulation.ts';

/** A comparison as HTTP, files and the command line show it: snake_case. `groups` bounds how many changes are listed. */
export function comparisonView({ alerts, incidents, groups }: Comparison, most: number) {
  return {
    alerts,
    incidents,
    changes: groups.slice(0, most).map(({ kind, now, proposed, deciding, differing }) => ({
      kind,
      now: now.map(incidentView),
      proposed: proposed.map(incidentView),
      differing_alerts: differing,
      deciding: deciding.map(decidingView),
    })),
    changes_total: groups.length,
  };
}
export type ComparisonView = ReturnType<typeof comparisonView>;

const ALERTS_MAX = 100;

const incidentView = ({ id, title, severity, openedAt, status, alertIds }: ReplayedIncident) => ({
  ...{ id, title, severity, status, opened_at: openedAt },
  ...{ alert_count: alertIds.length, alert_ids: alertIds.slice(0, ALERTS_MAX) },
});

const decidingView = ({ now, proposed }: DecidingAlert) => ({
  alert_id: now.alert.id,
  receipt_id: now.alert.receiptId,
  webhook_id: now.alert.webhookId,
  received_at: now.alert.receivedAt,
  title: now.alert.title,
  severity: now.alert.severity,
  services: now.alert.services,
  now: decisionView(now),
  proposed: decisionView(proposed),
});

function decisionView({ outcome, incidentId, why }: Replayed) {
  const { reason, rule, rulesOf, matched, nearest } = explain(why);
  return {
    ...{ outcome, incident_id: incidentId, reason, rule, rules_of: rulesOf, matched },
    nearest_miss: nearest && {
      ...{ rule: nearest.rule, incident_id: nearest.incidentId, held: nearest.held, of: nearest.of },
      failed: nearest.failed,
    },
  };
}
