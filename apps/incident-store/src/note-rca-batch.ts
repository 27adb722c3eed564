import { decodeRecord, type RcaEvent } from '@tocsin/contracts';
import { decide, isRejection, type IncidentChange } from '@tocsin/domain/incident';
import type { Random } from '@tocsin/nest-shell';
import type { Input, Stage, Tx, Verdict } from '@tocsin/postgres';
import { eventOutputs } from './event-outputs.ts';
import { append, lockStreams } from './incident-log.ts';

type Loaded = Map<Input, RcaEvent>;

/** Notes what investigations found on the incidents they are about. Causes that a stream has already are not noted again. */
export const noteRcaStage = (random: Random): Stage<Loaded> => ({
  load: async (inputs) =>
    new Map(
      inputs.flatMap((input) =>
        input.type === 'rca.event.v1' ? [[input, decodeRecord('rca.event.v1', input.value)] as const] : [],
      ),
    ),

  async apply(tx, inputs, loaded) {
    const rcas = inputs.map((input) => loaded.get(input));
    const results = rcas.filter((rca): rca is RcaEvent => rca !== undefined && rca.type !== 'rca.requested');
    const heads = await lockStreams(
      tx,
      results.map((rca) => rca.incident_id),
    );
    const seen = await causesSeen(tx, results);
    const changes = new Map<string, IncidentChange>();
    for (const rca of results) {
      const head = heads.get(rca.incident_id);
      if (!head || seen.has(`${rca.incident_id} ${rca.id}`)) continue;
      seen.add(`${rca.incident_id} ${rca.id}`);
      const actor = { kind: 'investigation' as const, id: rca.rca_id, name: rca.investigator };
      const decided = decide({ kind: 'note-rca', rca }, head.incident, {
        at: rca.at,
        actor,
        causeId: rca.id,
        configRevision: rca.config_revision,
      });
      const change = changes.get(rca.incident_id) ?? { before: head.incident, events: [] };
      if (!isRejection(decided)) changes.set(rca.incident_id, { ...change, events: [...change.events, ...decided] });
    }
    const streams = await append(tx, [...changes.values()], heads, random);
    const verdicts = inputs.map((input, index): Verdict =>
      verdictOf(input, rcas[index], heads.has(rcas[index]?.incident_id ?? '')),
    );
    return { verdicts, outputs: streams.flatMap((stream) => eventOutputs(stream)) };
  },

  forget: () => undefined, // keeps no cache
});

function verdictOf(input: Input, rca: RcaEvent | undefined, incidentIsThere: boolean): Verdict {
  if (!rca) return { kind: 'dead-letter', reason: 'unknown-record-type', detail: `type ${input.type}` };
  return rca.type === 'rca.requested' || !incidentIsThere
    ? { kind: 'skip', reason: 'not-for-this-service' }
    : { kind: 'handled' };
}

async function causesSeen(tx: Tx, rcas: readonly RcaEvent[]): Promise<Set<string>> {
  const { rows } = await tx.query<{ cause: string }>(
    `select e.stream_id || ' ' || e.cause_id as cause from unnest($1::text[], $2::text[]) as c (stream_id, cause_id)
     join incident_store.events e using (stream_id, cause_id)`,
    [rcas.map((rca) => rca.incident_id), rcas.map((rca) => rca.id)],
  );
  return new Set(rows.map((row) => row.cause));
}
