import { createHash } from 'node:crypto';
import { instantOf, isEmpty, isUnsetTime, pairsOf, statusOf, textOf, valueAt } from '@tocsin/domain/mapping';
import type { Reading } from './source-connector.ts';

/**
 * Status of one alert of Alertmanager's format, which Grafana shares. A group may hold firing and resolved alerts together, so the group's
 * own status counts only where an alert has none. Alertmanager calls an alert resolved exactly when its end is set and past: "resolved"
 * with the zero end is still firing, and an alert without a status is over when its end has passed.
 */
export function statusOfAlert({ element, root, receivedAt }: Reading): unknown {
  const stated = valueAt(element, 'status');
  const end = valueAt(element, 'endsAt');
  if (!isEmpty(stated)) return saysResolved(stated) && end !== undefined && isUnsetTime(end) ? 'firing' : stated;
  const endsAt = instantOf(end);
  if (endsAt !== undefined) return endsAt <= receivedAt ? 'resolved' : 'firing';
  return end === undefined ? valueAt(root, 'status') : 'firing';
}

export const saysResolved = (stated: unknown): boolean => statusOf(textOf(stated) ?? '') === 'resolved';

/** The sender's own hash of the labels; old versions and test buttons send none, then ours over the sorted labels. */
export function keyOfLabels(reading: Reading): string | undefined {
  const fingerprint = textOf(valueAt(reading.element, 'fingerprint'));
  if (fingerprint !== undefined) return fingerprint;
  const labels = pairsOf(valueAt(reading.element, 'labels'));
  if (labels.length === 0) return undefined;
  return `labels:${createHash('sha256').update(JSON.stringify(labels)).digest('hex')}`;
}

/** A repeat of `repeat_interval` has the same start; a new firing has a new one. */
export function firingOfLabels(reading: Reading): string | undefined {
  const key = keyOfLabels(reading);
  const start = valueAt(reading.element, 'startsAt');
  return key === undefined || isUnsetTime(start) ? undefined : `${key}@${textOf(start) ?? ''}`;
}
