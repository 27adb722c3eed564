import { isObject, valueAt } from '@tocsin/domain/mapping';

const GROUPS = ['new', 'ongoing', 'recovered'] as const;

/**
 * One element per alert. A rule with the action frequency "summary of alerts" sends the documents of its alerts in three groups; rules of
 * Elastic Security send them in `context.alerts`. Each element keeps what is around the list and has its document as `alert`.
 */
export function split(root: unknown): readonly unknown[] {
  if (Array.isArray(root)) return root;
  if (!isObject(root)) return [root];
  const { alerts, ...around } = root;
  if (Array.isArray(alerts)) return alerts.map((alert) => withDocument(around, alert));
  if (isObject(alerts)) return summary(root, alerts, around);
  const documents = valueAt(root, 'context', 'alerts');
  if (!Array.isArray(documents) || documents.length === 0) return [root];
  const { alerts: _documents, ...context } = valueAt(root, 'context') as Record<string, unknown>;
  return documents.map((alert) => withDocument({ ...root, context }, alert));
}

/** What is no document stays as it is, so that it is dead-lettered alone and never read as an alert of the rule. */
const withDocument = (around: object, alert: unknown): unknown => (isObject(alert) ? { ...around, alert } : alert);

/** Where a template sends only the counts, the rule itself is the alert. */
function summary(root: object, alerts: object, around: object): readonly unknown[] {
  const lists = GROUPS.map((group) => [group, valueAt(alerts, group, 'data')] as const);
  if (!lists.some(([, data]) => Array.isArray(data))) return [root];
  return lists.flatMap(([group, data]) =>
    Array.isArray(data) ? data.map((alert) => withDocument({ ...around, alert_state: group }, alert)) : [],
  );
}
