import type { Actor, PublicIncidentEvent } from '@tocsin/contracts';
import { outboundNameOf, type IncidentEventType } from '@tocsin/domain/incident';
import { withWorkspace } from '@tocsin/postgres';
import type { Pool } from 'pg';

/** An event with its place in the order of the installation. Positions of one workspace ascend; those between belong to others. */
export interface FeedItem {
  position: string;
  /** `incident.<name>`, or null where subscribers get no webhook. */
  outbound_name: string | null;
  event: PublicIncidentEvent;
}

interface FeedRow {
  position: string;
  event_id: string;
  stream_id: string;
  version: string;
  type: IncidentEventType;
  schema_version: number;
  at: Date;
  actor: Actor;
  cause_id: string;
  cause_ordinal: number;
  reason: string | null;
  config_revision: string;
  digest: string;
  prev_hash: string;
  hash: string;
  body: Buffer;
}

function itemOf(row: FeedRow): FeedItem {
  const { event_id: id, stream_id: stream, type, schema_version, actor, cause_id, cause_ordinal, reason } = row;
  const { digest, prev_hash, hash } = row;
  return {
    position: row.position,
    outbound_name: outboundNameOf(type),
    event: {
      ...{ id, stream, version: Number(row.version), type, schema_version, at: row.at.toISOString(), actor },
      ...{ cause_id, cause_ordinal, reason, config_revision: Number(row.config_revision) },
      data: JSON.parse(row.body.toString('utf8')) as Record<string, unknown>,
      ...{ digest, prev_hash, hash },
    },
  };
}

/** What services read that follow a workspace's incidents without Kafka. */
export class EventsFeed {
  constructor(private readonly pool: Pool) {}

  /** Events after a position, oldest first. */
  after(workspaceId: string, position: bigint, limit: number): Promise<FeedItem[]> {
    return withWorkspace(this.pool, workspaceId, async (tx) => {
      const { rows } = await tx.query<FeedRow>(
        `select c.position, e.event_id, e.stream_id, e.version, e.type, e.schema_version, e.at, e.actor, e.cause_id, e.cause_ordinal, e.reason,
                e.config_revision, e.digest, e.prev_hash, e.hash, p.body
           from incident_store.commit_order c
           join incident_store.events e using (stream_id, version) join incident_store.event_payloads p using (stream_id, version)
          where c.workspace_id = $1 and c.position > $2 order by c.position limit $3`,
        [workspaceId, String(position), limit],
      );
      return rows.map(itemOf);
    });
  }

  /** The workspace's newest position; 0 where it has no events. */
  end(workspaceId: string): Promise<bigint> {
    return withWorkspace(this.pool, workspaceId, async (tx) => {
      const { rows } = await tx.query<{ position: string | null }>(
        'select max(position) as position from incident_store.commit_order where workspace_id = $1',
        [workspaceId],
      );
      return BigInt(rows[0]?.position ?? 0);
    });
  }
}
