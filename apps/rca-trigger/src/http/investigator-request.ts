import { checkUrl, defaultSignatures, requestHeaders, type AllowList } from '@tocsin/domain/delivery';
import type { InvestigatorSettings, SealedSecret } from '@tocsin/contracts';
import type { OutboundRequest } from '@tocsin/egress';
import type { AskedInvestigation } from './asked-store.ts';

export interface RequestParts {
  settings: InvestigatorSettings;
  /** Live secrets in the clear, the current one first. */
  secrets: readonly string[];
  allow: AllowList;
  publicUrl: string;
  userAgent: string;
  now: Date;
}

/** Larger than what deliveries keep: an answer may hold a whole result. */
const ANSWER_BYTES_MAX = 512 * 1024;

/** The signed request by which an investigation is asked for. Each attempt has the same `webhook-id`: the investigation's. */
export function investigatorRequest(
  asked: AskedInvestigation,
  parts: RequestParts,
): OutboundRequest | { refused: string } {
  const { settings, now } = parts;
  const url = checkUrl(settings.url, parts.allow);
  if (!url.ok) return { refused: url.message };
  const body = JSON.stringify(bodyOf(asked, parts.publicUrl));
  const headers = requestHeaders({
    ...{ eventId: asked.id, eventType: 'investigation.requested', deliveryId: asked.id, attempt: asked.attempts },
    ...{ sequence: asked.incidentVersion, body, timestamp: Math.floor(now.getTime() / 1_000) },
    signing: { schemes: defaultSignatures, secrets: parts.secrets, signingKeys: [] },
    ...{ contentType: 'application/json', contentHeaders: {}, customHeaders: [], userAgent: parts.userAgent },
  });
  const timeoutMs = settings.timeoutSeconds * 1_000;
  return { url: url.url, headers, body, timeoutMs, responseBytesMax: ANSWER_BYTES_MAX };
}

function bodyOf(asked: AskedInvestigation, publicUrl: string) {
  const incident = `${publicUrl}/api/v1/incidents/${asked.incidentId}`;
  return {
    ...{ id: asked.id, type: 'investigation.requested', timestamp: asked.requestedAt.toISOString() },
    workspace_id: asked.workspaceId,
    data: {
      ...{ rca_id: asked.id, reason: asked.cause },
      incident: {
        ...{ id: asked.incidentId, number: asked.number, title: asked.title, severity: asked.severity },
        ...{ status: asked.incidentStatus, services: asked.services, version: asked.incidentVersion },
        ...{ webhook_id: asked.webhookId, created_at: asked.openedAt.toISOString(), url: incident },
      },
      progress_url: `${incident}/rca/${asked.id}/progress`,
      result_url: `${incident}/rca/${asked.id}/result`,
    },
  };
}

/** Secrets that still sign, the current one first. */
export const liveSecrets = (secrets: readonly SealedSecret[], now: Date): SealedSecret[] =>
  secrets
    .filter(({ notAfter }) => notAfter === null || new Date(notAfter) > now)
    .sort((a, b) => Number(a.notAfter !== null) - Number(b.notAfter !== null));
