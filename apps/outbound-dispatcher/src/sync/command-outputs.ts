import { encodeRecord, type Actor, type ExternalCommand, type SyncLinkDocument } from '@tocsin/contracts';
import { causeOf } from '@tocsin/domain/sync';
import type { Output } from '@tocsin/postgres';
import type { Author, TicketRef } from './ticket-system.ts';

export interface SaidThere {
  link: SyncLinkDocument;
  incidentId: string;
  ticket: TicketRef;
  /** What has changed, the same however often it is read. */
  change: string;
  by: Author | null;
  sourceAt: string;
  now: Date;
}

/** Who did it there; where the other side does not say, the link stands for them. */
const actorOf = ({ id, body }: SyncLinkDocument, by: Author | null): Actor => ({
  kind: 'user',
  id: `${body.system}:${by?.id ?? id}`,
  name: by?.name ?? body.name,
});

/** One thing that somebody did in the other system, as a record for incident-store. */
export function commandOutput(said: SaidThere, command: ExternalCommand): Output {
  const { link, incidentId, ticket, change, by, sourceAt, now } = said;
  const id = causeOf(link.id, change);
  const value = encodeRecord('incident.command.v1', {
    ...{ id, incident_id: incidentId, workspace_id: link.workspaceId, command },
    link: { id: link.id, name: link.body.name, system: link.body.system },
    external: { id: ticket.id, key: ticket.key, url: ticket.url },
    ...{ actor: actorOf(link, by), source_at: sourceAt, at: now.toISOString(), config_revision: link.revision },
  });
  return {
    ...{ topic: 'incident.commands', key: incidentId, type: 'incident.command.v1', value },
    by: { stream: `${id} ${incidentId}`, version: 1n },
  };
}

/** Something for the timeline only, said by Tocsin itself. */
export const noteOutput = (
  said: Omit<SaidThere, 'by'>,
  type: 'sync.linked' | 'sync.superseded' | 'sync.failed',
  detail: string,
) => commandOutput({ ...said, by: null }, { kind: 'note', type, detail });
