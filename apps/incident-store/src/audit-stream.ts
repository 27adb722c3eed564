import { StreamAudit, type AuditedEvent, type AuditFinding } from '@tocsin/domain/incident';
import type { Tx } from '@tocsin/postgres';

interface Row {
  version: string;
  type: AuditedEvent['type'];
  event_id: string;
  workspace_id: string;
  schema_version: number;
  at: Date;
  actor: AuditedEvent['meta']['actor'];
  cause_id: string;
  cause_ordinal: number;
  reason: string | null;
  config_revision: string;
  digest: string;
  prev_hash: string;
  hash: string;
  salt: Buffer | null;
  body: Buffer | null;
  erased_by: string | null;
}

/** All events of one stream as they are stored, and what does not fit in its chain. */
export async function auditStream(
  tx: Tx,
  stream: string,
): Promise<{ events: AuditedEvent[]; findings: AuditFinding[] }> {
  const { rows } = await tx.query<Row>(
    `select e.version, e.type, e.event_id, e.workspace_id, e.schema_version, e.at, e.actor, e.cause_id, e.cause_ordinal, e.reason,
            e.config_revision, e.digest, e.prev_hash, e.hash, p.salt, p.body, p.erased_by
       from incident_store.events e left join incident_store.event_payloads p using (stream_id, version)
      where e.stream_id = $1 order by e.version`,
    [stream],
  );
  const audit = new StreamAudit();
  const events = rows.map(
    ({
      version,
      type,
      event_id,
      at,
      config_revision,
      digest,
      prev_hash: prevHash,
      hash,
      salt,
      body,
      erased_by,
      ...meta
    }) => ({
      ...{ stream, version: Number(version), type, digest, prevHash, hash },
      meta: { ...meta, id: event_id, at: at.toISOString(), config_revision: Number(config_revision) },
      payload: salt && body ? { salt, body, erasedBy: erased_by === null ? null : Number(erased_by) } : null,
    }),
  );
  return { events, findings: [...events.flatMap((event) => audit.next(event)), ...audit.end()] };
}

/** An event with everything that its hash covers: SHA-256(prev_hash ‖ RFC 8785 JSON of {stream, version, type, meta, digest}). */
export const auditedView = ({ stream, version, type, meta, digest, prevHash, hash, payload }: AuditedEvent) => ({
  ...{ stream, version, type, meta, digest, prev_hash: prevHash, hash },
  salt: payload ? Buffer.from(payload.salt).toString('hex') : null,
  body: payload ? Buffer.from(payload.body).toString('utf8') : null,
  erased_by: payload?.erasedBy ?? null,
});
