import {
  type AlertsNormalized,
  encodeRecord,
  type NormalizedAlert,
  PACKED_ALERTS_MAX,
  PACKED_BYTES_MAX,
} from '@tocsin/contracts';

/**
 * Records of at most 200 alerts and 256 KiB, in the order of the alerts. A single alert that is larger loses its `fields` and then its
 * longest texts, with a note: too large never blocks a partition (architecture §5, Sizes).
 */
export function packAlerts(
  envelope: Omit<AlertsNormalized, 'alerts'>,
  alerts: readonly NormalizedAlert[],
): Uint8Array[] {
  const records: Uint8Array[] = [];
  for (let from = 0; from < alerts.length; from += PACKED_ALERTS_MAX) {
    records.push(...encodeFitting(envelope, alerts.slice(from, from + PACKED_ALERTS_MAX)));
  }
  return records;
}

const encode = (envelope: Omit<AlertsNormalized, 'alerts'>, alerts: NormalizedAlert[]): Uint8Array =>
  encodeRecord('alerts.normalized.v1', { ...envelope, alerts });

/** Halves what is too large until it fits: the same alerts always give the same records. */
function encodeFitting(envelope: Omit<AlertsNormalized, 'alerts'>, alerts: NormalizedAlert[]): Uint8Array[] {
  const bytes = encode(envelope, alerts);
  if (bytes.length <= PACKED_BYTES_MAX) return [bytes];
  const [first] = alerts;
  if (alerts.length === 1 && first) return [encodeShrunk(envelope, first)];
  const middle = Math.ceil(alerts.length / 2);
  return [...encodeFitting(envelope, alerts.slice(0, middle)), ...encodeFitting(envelope, alerts.slice(middle))];
}

function encodeShrunk(envelope: Omit<AlertsNormalized, 'alerts'>, alert: NormalizedAlert): Uint8Array {
  const notes = [
    ...alert.notes,
    { code: 'fields-truncated', path: 'fields', detail: 'the alert was larger than 256 KiB' },
  ];
  const withoutFields = { ...alert, fields: {}, notes };
  const bytes = encode(envelope, [withoutFields]);
  return bytes.length <= PACKED_BYTES_MAX ? bytes : encode(envelope, [shortened(withoutFields)]);
}

const SHORT_LIST = 20;

/** What is left is at most some 40 KiB of lists and 40 KiB for each text, whatever the encoding. */
const shortened = (alert: NormalizedAlert): NormalizedAlert => ({
  ...alert,
  services: alert.services.slice(0, SHORT_LIST),
  tags: alert.tags.slice(0, SHORT_LIST),
  customFields: {},
  notes: [
    ...alert.notes,
    { code: 'list-truncated', path: 'services, tags', detail: 'the alert was larger than 256 KiB' },
  ],
});
