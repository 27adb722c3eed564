import { type Connector, connectorOf } from '@tocsin/connectors';
import { type SamplePayload, samplePayloadsOf } from '../connector-documents.ts';

/** A receipt that nobody sent: only whether the sample is an alert is looked at. */
const CONTEXT = {
  receiptId: 'rcv_aaaaaaaaaaaaaaaaaaaaaaaaaa',
  workspaceId: 'ws_aaaaaaaaaaaaaaaaaaaaaaaaaa',
  webhookId: 'whk_aaaaaaaaaaaaaaaaaaaaaaaaaa',
  receivedAt: '2026-11-21T09:00:00.000Z',
  configRevision: 0,
  defaultSeverity: 'medium',
  severityProfile: 'tocsin',
  notes: [],
} as const;

/** Longer payloads are no example that somebody reads. */
const LONGEST = 6_000;

/**
 * The sample of a connector that shows most of what an alert can carry, and nothing awkward (no note): JSON before other forms, since
 * people read it, and the shorter of two.
 */
export function examplePayloadOf(id: string): SamplePayload | undefined {
  const connector = connectorOf(id);
  if (!connector) return undefined;
  return samplePayloadsOf(id)
    .flatMap((sample) => {
      const rank = isText(sample.body) ? rankOf(connector, sample) : undefined;
      return rank === undefined ? [] : [{ sample, rank }];
    })
    .sort((a, b) => a.rank - b.rank || a.sample.body.length - b.sample.body.length)[0]?.sample;
}

const isText = (body: string): boolean => body.isWellFormed() && !body.includes('\0') && !body.includes('\uFFFD');

/** How many things speak against a sample; undefined where it opens no alert, or only its vendor can sign it. */
function rankOf(connector: Connector, sample: SamplePayload): number | undefined {
  const { body, contentType, headers, query } = sample;
  if (connector.source.auth.vendor !== undefined && body.includes('"SigningCertURL"')) return undefined;
  const result = connector.normalize({ bytes: Buffer.from(body), contentType, headers, query }, CONTEXT);
  const alert = result.kind === 'alerts' && result.omitted.length === 0 ? result.alerts[0] : undefined;
  if (alert?.status !== 'triggered') return undefined;
  const missing = [
    alert.description !== '',
    alert.services.length > 0,
    alert.tags.length > 0,
    alert.url !== null,
    alert.occurredAt !== null,
    alert.dedupKeyOrigin === 'connector',
  ].filter((there) => !there).length;
  const unhandy = (body !== '' && contentType.includes('json') ? 0 : 4) + (body.length > LONGEST ? 8 : 0);
  return missing + 4 * alert.notes.length + unhandy;
}
