import {
  projectAlerts,
  type AttachedAlert,
  type IncidentEvent,
  type KnownAlert,
  type MovableAlert,
} from '../incident/index.ts';
import { pick } from './memory-keys.ts';

/** The alerts of a replay's incidents, as the incident-store's tables have them. */
export class MemoryAlerts {
  private readonly alerts = new Map<string, KnownAlert>();
  private readonly attached = new Map<string, AttachedAlert>();
  private readonly byIncident = new Map<string, Set<string>>();

  get = (alertId: string): KnownAlert | undefined => this.alerts.get(alertId);

  named = (alertIds: Iterable<string>): Map<string, KnownAlert> => pick(this.alerts, alertIds);

  /** In the order in which they joined. */
  idsOf = (incidentId: string): string[] => [...(this.byIncident.get(incidentId) ?? [])];

  movableOf(incidentId: string): MovableAlert[] {
    return this.idsOf(incidentId).flatMap((alertId): MovableAlert[] => {
      const [known, alert] = [this.alerts.get(alertId), this.attached.get(alertId)];
      if (!known || !alert) return [];
      const { status, occurrences, lastSeenAt } = known;
      return [{ alert, role: alert.role, status, occurrences, lastSeenAt, resolvedAt: null }];
    });
  }

  /** What events of an incident say of its alerts. */
  project(incidentId: string, events: readonly IncidentEvent[]): void {
    const rows = projectAlerts(events);
    for (const id of rows.removed) this.byIncident.get(incidentId)?.delete(id);
    if (rows.closedAt !== null) for (const id of this.idsOf(incidentId)) this.change(id, 'resolved');
    for (const { alertId, added, resolvedAt } of rows.changed.values())
      this.change(alertId, resolvedAt === null ? undefined : 'resolved', added);
    for (const { alert, status, occurrences, lastSeenAt } of rows.inserted.values()) {
      const { id, webhook_id: webhookId, severity, firing_key: firingKey, received_at: firstSeenAt } = alert;
      const known = { id, incidentId, webhookId, status, severity, occurrences, firingKey };
      this.alerts.set(id, { ...known, firstSeenAt, lastSeenAt });
      this.attached.set(id, alert);
      const siblings = this.byIncident.get(incidentId);
      if (siblings) siblings.add(id);
      else this.byIncident.set(incidentId, new Set([id]));
    }
  }

  seen(alertId: string, at: string): void {
    const alert = this.alerts.get(alertId);
    if (alert && alert.lastSeenAt < at) this.alerts.set(alertId, { ...alert, lastSeenAt: at });
  }

  private change(alertId: string, status?: 'resolved', added = 0): void {
    const alert = this.alerts.get(alertId);
    if (!alert) return;
    this.alerts.set(alertId, { ...alert, status: status ?? alert.status, occurrences: alert.occurrences + added });
  }
}
