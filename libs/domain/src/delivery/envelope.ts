import { deriveId, type EnvelopeName, type IncidentEventRecord, type PublicIncident } from '@tocsin/contracts';
import { renderTemplate, type Template } from '../template/index.ts';

/** The `cloudthinker` envelope (http-api, Outbound request); the other forms are made from it. */
export interface CloudthinkerEnvelope {
  id: string;
  type: string;
  timestamp: string;
  workspace_id: string;
  data: Record<string, unknown>;
}

/** The incident as `GET` shows it, what changed, and where a person finds it. The source's own link moves to `source_url`. */
export type IncidentData = PublicIncident & { changed: string[]; url: string; source_url: string | null };

export const incidentData = (record: IncidentEventRecord, changed: string[], incidentUrl: string): IncidentData => ({
  ...record.incident,
  changed,
  source_url: record.incident.url,
  url: incidentUrl,
});

/** How a subscription wants its bodies. A transform goes before a vendor's body, and that before the envelope. */
export interface Rendering {
  envelope: EnvelopeName;
  transform?: Template | undefined;
  /** The body of a vendor's request. */
  vendor?: ((envelope: CloudthinkerEnvelope) => object) | undefined;
}

/** What is sent, the same for each attempt: the bytes that are signed, and the headers that belong to their form. */
export interface RenderedBody {
  body: string;
  contentType: string;
  headers: Record<string, string>;
}

/** Source of our events in CloudEvents, as on the public topics. */
const SOURCE = '/tocsin';

/** The body of an event in the form that a subscription asks for. */
export function renderBody(
  envelope: CloudthinkerEnvelope,
  { envelope: form, transform, vendor }: Rendering,
): RenderedBody {
  if (transform) return json(bodyOf(renderTemplate(transform, contextOf(envelope))));
  if (vendor) return json(bodyOf(vendor(envelope)));
  switch (form) {
    case 'cloudthinker':
      return json(bodyOf(envelope));
    case 'opsknight':
      return json(bodyOf(opsknightOf(envelope)));
    case 'cloudevents':
      return {
        body: bodyOf({ ...attributesOf(envelope), datacontenttype: 'application/json', data: envelope.data }),
        contentType: 'application/cloudevents+json; charset=utf-8',
        headers: {},
      };
    case 'cloudevents-binary':
      return { ...json(bodyOf(envelope.data)), headers: headersOf(attributesOf(envelope)) };
  }
}

const json = (body: string): RenderedBody => ({ body, contentType: 'application/json', headers: {} });

/** What a template's paths read: the default envelope, `incident` where the event is about one, and the link for people. */
const contextOf = (envelope: CloudthinkerEnvelope): Record<string, unknown> => {
  const { type, data } = envelope;
  return { ...envelope, incident: type.startsWith('incident.') ? data : null, url: data['url'] ?? null };
};

const isText = (value: unknown): value is string => typeof value === 'string';

/** `{event, timestamp, data}`: of an incident the fields that this form has, of other events everything. */
function opsknightOf({ type, timestamp, workspace_id: workspaceId, data }: CloudthinkerEnvelope): object {
  if (!type.startsWith('incident.')) return { event: type, timestamp, data };
  const { id, title, description, status, urgency, priority, services, assignee, created_at: createdAt } = data;
  const [service] = Array.isArray(services) ? (services as unknown[]) : [];
  return {
    event: type,
    timestamp,
    data: {
      ...{ id, title, description, status: isText(status) ? status.toUpperCase() : status, urgency, priority },
      service: isText(service) ? { id: deriveId('svc', workspaceId, service), name: service } : null,
      ...{ assignee, createdAt },
    },
  };
}

/** Attributes of CloudEvents 1.0; a subject where the event is about one thing. */
function attributesOf({ id, type, timestamp, workspace_id: tocsinworkspace, data }: CloudthinkerEnvelope) {
  const { id: subject } = data;
  return {
    ...{ specversion: '1.0', id, source: SOURCE, type: `tocsin.${type}.v1`, time: timestamp },
    ...(isText(subject) ? { subject } : {}),
    tocsinworkspace,
  };
}

/** Attributes as headers, with everything percent-encoded that the HTTP binding of CloudEvents names (section 3.1.3.2). */
const headersOf = (attributes: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`ce-${name}`, encoded(value)]));

const encoded = (value: string): string =>
  value.toWellFormed().replaceAll(/[^\x21\x23\x24\x26-\x7e]|%/gu, (character) => encodeURIComponent(character));

/**
 * The bytes that are signed and sent: compact JSON that a receiver gets back byte for byte when it parses and serialises it again.
 * JavaScript moves keys that look like array indexes to the front, other languages do not, so such a key gets a leading underscore.
 */
export const bodyOf = (value: unknown): string => JSON.stringify(withoutIndexKeys(value));

const INDEX_KEY = /^(0|[1-9]\d{0,9})$/;

function withoutIndexKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutIndexKeys);
  if (value === null || typeof value !== 'object') return value;
  const out: Record<string, unknown> = {};
  for (const [key, child] of Object.entries(value)) {
    // defineProperty, because assigning to `__proto__` would lose the key.
    Object.defineProperty(out, freeName(key, value), {
      value: withoutIndexKeys(child),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return out;
}

function freeName(key: string, siblings: object): string {
  if (!INDEX_KEY.test(key)) return key;
  let name = `_${key}`;
  while (Object.hasOwn(siblings, name)) name = `_${name}`;
  return name;
}
