import { connectorOf } from '@tocsin/connectors';
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

/** The shortest sample of a connector that opens an alert; JSON before other forms, since people read it. */
export function examplePayloadOf(id: string): SamplePayload | undefined {
  const connector = connectorOf(id);
  if (!connector) return undefined;
  const isVendorSigned = connector.source.auth.vendor !== undefined;
  const rank = ({ contentType, body }: SamplePayload): number =>
    (contentType.includes('json') ? 0 : 1_000_000) + (body === '' ? 500_000 : 0) + body.length;
  return samplePayloadsOf(id)
    .filter(({ body }) => body.isWellFormed() && !body.includes('\0') && !body.includes('\uFFFD'))
    .filter(({ body }) => !(isVendorSigned && body.includes('"SigningCertURL"')))
    .filter((sample) => {
      const result = connector.normalize(
        {
          bytes: Buffer.from(sample.body),
          contentType: sample.contentType,
          headers: sample.headers,
          query: sample.query,
        },
        CONTEXT,
      );
      return result.kind === 'alerts' && result.omitted.length === 0 && result.alerts[0]?.status === 'triggered';
    })
    .sort((a, b) => rank(a) - rank(b))[0];
}
