import {
  decodeRecord,
  encodeRecord,
  type AlertsNormalized,
  type IncidentFact,
  type PoisonReason,
} from '@tocsin/contracts';
import type { Input } from '@tocsin/postgres';

/** One record of `correlation.inputs` as it was heard. */
export type Heard =
  | { kind: 'alerts'; record: AlertsNormalized }
  | { kind: 'fact'; fact: IncidentFact }
  | { kind: 'broken'; reason: PoisonReason; detail: string };

/** Reads one record; what cannot be read is a value, so that its neighbours go on. */
export function hear(input: Input): Heard {
  try {
    switch (input.type) {
      case 'alerts.normalized.v1':
        return alertsOf(decodeRecord('alerts.normalized.v1', input.value));
      case 'incident.fact.v1':
        return factOf(decodeRecord('incident.fact.v1', input.value));
      default:
        return { kind: 'broken', reason: 'unknown-record-type', detail: `type ${JSON.stringify(input.type)}` };
    }
  } catch (error) {
    return { kind: 'broken', reason: 'undecodable-record', detail: (error as Error).message };
  }
}

/** How a packed record is taken apart when the database refuses one of its alerts. */
export const alertParts = {
  count: (input: Input): number =>
    input.type === 'alerts.normalized.v1' ? decodeRecord('alerts.normalized.v1', input.value).alerts.length : 1,
  keep(input: Input, indexes: readonly number[]): Input {
    const record = decodeRecord('alerts.normalized.v1', input.value);
    const alerts = record.alerts.filter((_, index) => indexes.includes(index));
    return { ...input, value: Buffer.from(encodeRecord('alerts.normalized.v1', { ...record, alerts })) };
  },
};

const mismatch = (detail: string): Heard => ({ kind: 'broken', reason: 'schema-mismatch', detail });
const isText = (value: unknown): value is string => typeof value === 'string';
const isInstant = (value: unknown): value is string => isText(value) && Number.isFinite(Date.parse(value));

// The writer validated against the schema. Checked again is only what the lookups of a whole batch stand on: one record
// from elsewhere must not stop its neighbours.
function alertsOf(record: AlertsNormalized): Heard {
  if (!Array.isArray(record?.alerts) || !isText(record.scope)) return mismatch('no alerts or scope');
  const fits = record.alerts.every(
    (alert) =>
      [alert?.id, alert?.scope, alert?.workspaceId, alert?.webhookId, alert?.dedupKey, alert?.resolveKey].every(
        isText,
      ) &&
      isInstant(alert.receivedAt) &&
      (alert.occurredAt === null || isInstant(alert.occurredAt)) &&
      Number.isSafeInteger(alert.configRevision) &&
      Array.isArray(alert.services) &&
      alert.services.every(isText),
  );
  return fits ? { kind: 'alerts', record } : mismatch('an alert without id, keys, times, services or revision');
}

function factOf(fact: IncidentFact): Heard {
  const fits =
    [fact?.incidentId, fact?.scope, fact?.workspaceId].every(isText) &&
    isInstant(fact.at) &&
    Number.isSafeInteger(fact.version) &&
    (fact.fact?.kind === 'closed' ||
      (fact.fact?.kind === 'open' && isInstant(fact.fact.lastAlertAt) && Array.isArray(fact.fact.services))) &&
    Array.isArray(fact.keys) &&
    fact.keys.every((key) => [key?.webhookId, key?.dedupKey, key?.resolveKey, key?.alertId].every(isText));
  return fits ? { kind: 'fact', fact } : mismatch('not an incident fact');
}
