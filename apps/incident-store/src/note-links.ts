import type { DeliveryEvent } from '@tocsin/contracts';
import { decide, exists, fold, isRejection, type IncidentChange } from '@tocsin/domain/incident';
import type { Random } from '@tocsin/nest-shell';
import type { Output, Tx } from '@tocsin/postgres';
import { eventOutputs } from './event-outputs.ts';
import { append, lockStreams } from './incident-log.ts';

/**
 * Records that receivers made of incidents: issues, tickets, alerts elsewhere. The same record is linked once, so a fact that comes again
 * does nothing.
 */
export async function noteLinks(tx: Tx, facts: readonly DeliveryEvent[], random: Random): Promise<Output[]> {
  const linking = facts.filter(({ external_link: link, incident_id: id }) => link !== undefined && id !== null);
  if (linking.length === 0) return [];
  const heads = await lockStreams(
    tx,
    linking.flatMap(({ incident_id: id }) => (id === null ? [] : [id])),
  );
  const changes = new Map<string, IncidentChange>();
  for (const { incident_id: id, external_link: link, ...fact } of linking) {
    const head = heads.get(id ?? '');
    if (!head || !link || !exists(head.incident) || head.incident.workspaceId !== fact.workspace_id) continue;
    const change = changes.get(head.incident.id) ?? { before: head.incident, events: [] };
    const decided = decide({ kind: 'link', link }, fold(change.before, change.events), {
      ...{ at: fact.at, causeId: fact.id, configRevision: 0 },
      actor: { kind: 'system', id: null, name: fact.subscription_name },
    });
    if (isRejection(decided) || decided.length === 0) continue;
    changes.set(head.incident.id, { ...change, events: [...change.events, ...decided] });
  }
  const streams = await append(tx, [...changes.values()], heads, random);
  return streams.flatMap((stream) => eventOutputs(stream));
}
