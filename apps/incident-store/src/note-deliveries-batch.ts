import { decodeRecord, type DeliveryEvent } from '@tocsin/contracts';
import type { Random } from '@tocsin/nest-shell';
import type { Input, Stage, Verdict } from '@tocsin/postgres';
import { noteLinks } from './note-links.ts';

type Loaded = Map<Input, DeliveryEvent>;

/**
 * Delivery facts go into the timeline only: as events of the stream they would cause deliveries of their own (architecture §10). What a receiver
 * has made of an incident is a fact about the incident, and said once.
 */
export const noteDeliveriesStage = (random: Random): Stage<Loaded> => ({
  load: async (inputs) =>
    new Map(
      inputs.flatMap((input) =>
        input.type === 'delivery.event.v1' ? [[input, decodeRecord('delivery.event.v1', input.value)] as const] : [],
      ),
    ),

  async apply(tx, inputs, loaded) {
    const facts = inputs.map((input) => loaded.get(input));
    const rows = facts
      .filter((fact): fact is DeliveryEvent => fact !== undefined && fact.incident_id !== null)
      .map((fact) => ({
        workspace_id: fact.workspace_id,
        incident_id: fact.incident_id,
        fact_id: fact.id,
        at: fact.at,
        entry: fact,
      }));
    if (rows.length > 0)
      await tx.query(
        `insert into incident_store.timeline (workspace_id, incident_id, fact_id, at, entry)
         select * from json_to_recordset($1::json) as t (workspace_id text, incident_id text, fact_id text, at timestamptz, entry jsonb)
         on conflict (fact_id) do nothing`,
        [JSON.stringify(rows)],
      );
    const outputs = await noteLinks(tx, [...loaded.values()], random);
    return { verdicts: inputs.map((input, index) => verdictOf(input, facts[index])), outputs };
  },

  forget: () => undefined, // keeps no cache
});

function verdictOf(input: Input, fact: DeliveryEvent | undefined): Verdict {
  if (!fact) return { kind: 'dead-letter', reason: 'unknown-record-type', detail: `type ${input.type}` };
  return fact.incident_id === null ? { kind: 'skip', reason: 'not-for-this-service' } : { kind: 'handled' };
}
