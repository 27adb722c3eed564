import type { NormalizedAlert } from '@tocsin/contracts';
import type { Connector, NormalizeContext } from './compile.ts';

/** The receipt that samples are read as. */
export const sampleContext: NormalizeContext = {
  receiptId: 'rcv_aaaaaaaaaaaaaaaaaaaaaaaaaa',
  workspaceId: 'ws_aaaaaaaaaaaaaaaaaaaaaaaaaa',
  webhookId: 'whk_aaaaaaaaaaaaaaaaaaaaaaaaaa',
  receivedAt: '2026-11-21T09:00:00.000Z',
  configRevision: 1,
  defaultSeverity: 'medium',
  severityProfile: 'tocsin',
  notes: [],
};

/** What of an alert a sample states; the rest repeats the context or is the sample itself. */
const stated = [
  'index',
  'status',
  'severity',
  'title',
  'description',
  'services',
  'tags',
  'source',
  'url',
  'occurredAt',
  'occurredAtOrders',
  'dedupKey',
  'dedupKeyOrigin',
  'resolveKey',
  'firingKey',
  'incidentType',
  'notes',
] as const satisfies readonly (keyof NormalizedAlert)[];

/** What `samples/<name>.expected.json` holds for `samples/<name>.json`. */
export function expectedResultOf(connector: Connector, bytes: Uint8Array): unknown {
  const result = connector.normalize({ bytes, contentType: 'application/json' }, sampleContext);
  if (result.kind !== 'alerts') return { [result.kind]: result.reason };
  return {
    total: result.total,
    alerts: result.alerts.map((alert) => Object.fromEntries(stated.map((field) => [field, alert[field]]))),
    omitted: result.omitted.map(({ index, outcome, reason }) => ({ index, outcome, reason })),
  };
}
