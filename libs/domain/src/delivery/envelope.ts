import type { IncidentEventRecord, PublicIncident } from '@tocsin/contracts';

/** The `cloudthinker` envelope (http-api, Outbound request). */
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

/**
 * The bytes that are signed and sent: compact JSON that a receiver gets back byte for byte when it parses and serialises it again.
 * JavaScript moves keys that look like array indexes to the front, other languages do not, so such a key gets a leading underscore.
 */
export const bodyOf = (envelope: CloudthinkerEnvelope): string => JSON.stringify(withoutIndexKeys(envelope));

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
