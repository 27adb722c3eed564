import type { NormalizedAlert } from '@tocsin/contracts';
import type { Connector, NormalizeContext, Payload } from './compile.ts';

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
  'changedAt',
  'endsAt',
  'dedupKey',
  'dedupKeyOrigin',
  'resolveKey',
  'firingKey',
  'incidentType',
  'notes',
] as const satisfies readonly (keyof NormalizedAlert)[];

/** What `samples/<name>.request.json` may say about the request of a sample; a body alone came as application/json. */
export interface SampleRequest {
  content_type?: string | null;
  headers?: Record<string, string>;
  query?: string;
}

export const payloadOfSample = (bytes: Uint8Array, request: SampleRequest = {}): Payload => ({
  bytes,
  contentType: request.content_type === undefined ? 'application/json' : request.content_type,
  headers: request.headers ?? {},
  query: request.query ?? '',
});

/** What `samples/<name>.expected.json` holds for a sample. */
export function expectedResultOf(connector: Connector, payload: Payload): unknown {
  const result = connector.normalize(payload, sampleContext);
  if (result.kind === 'unreadable') return { unreadable: result.reason };
  const changes = result.changes.length === 0 ? {} : { changes: result.changes };
  if (result.kind === 'ignored') return { ignored: result.reason, ...changes };
  return {
    total: result.total,
    alerts: result.alerts.map((alert) => Object.fromEntries(stated.map((field) => [field, alert[field]]))),
    omitted: result.omitted.map(({ index, outcome, reason }) => ({ index, outcome, reason })),
    ...changes,
  };
}
