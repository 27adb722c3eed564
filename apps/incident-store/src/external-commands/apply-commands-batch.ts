import { decodeRecord, type IncidentCommandRecord } from '@tocsin/contracts';
import { decide, exists, fold, isRejection, type ExistingIncident, type IncidentEvent } from '@tocsin/domain/incident';
import { commandsOf, type SyncDecision } from '@tocsin/domain/sync';
import type { Random } from '@tocsin/nest-shell';
import type { Input, Output, Stage, Tx, Verdict } from '@tocsin/postgres';
import { appendDecided } from '../append-decided.ts';
import { lockIncidents } from '../incident-locks.ts';
import { lockStreams, type StreamHead } from '../incident-log.ts';
import { causeIsKnown, localChanges, noteSync } from './command-store.ts';

type Loaded = Map<Input, IncidentCommandRecord>;

/**
 * Applies what was done in other systems. Each change is one cause, so a record that comes again does nothing; what lost against a later change
 * here, or cannot be done, is kept in the timeline.
 */
export const applyExternalCommandsStage = (random: Random): Stage<Loaded> => ({
  load: async (inputs) =>
    new Map(
      inputs.flatMap((input) =>
        input.type === 'incident.command.v1'
          ? [[input, decodeRecord('incident.command.v1', input.value)] as const]
          : [],
      ),
    ),

  async apply(tx, inputs, loaded) {
    const commands = [...loaded.values()];
    const closing = commands.filter(({ command }) => command.kind === 'status' && command.status === 'resolved');
    const heads = await lockIncidents(tx, [...new Set(closing.map(incidentOf))], commands.map(incidentOf));
    const outputs: Output[] = [];
    const verdicts: Verdict[] = [];
    for (const input of inputs) {
      const command = loaded.get(input);
      if (!command) verdicts.push({ kind: 'dead-letter', reason: 'unknown-record-type', detail: `type ${input.type}` });
      else verdicts.push(await applyOne(tx, command, { heads, random, outputs }));
    }
    return { verdicts, outputs };
  },

  forget: () => undefined, // keeps no cache
});

const incidentOf = ({ incident_id: id }: IncidentCommandRecord): string => id;

interface Applying {
  heads: Map<string, StreamHead>;
  random: Random;
  outputs: Output[];
}

async function applyOne(tx: Tx, record: IncidentCommandRecord, applying: Applying): Promise<Verdict> {
  const incident = applying.heads.get(record.incident_id)?.incident;
  if (!incident || !exists(incident) || incident.workspaceId !== record.workspace_id)
    return { kind: 'skip', reason: 'not-for-this-service' };
  if (await causeIsKnown(tx, record)) return { kind: 'skip', reason: 'already-processed' };
  const events: IncidentEvent[] = [];
  for (const decision of commandsOf(record, incident, await localChanges(tx, record))) {
    if (decision.kind === 'note') await noteSync(tx, record, decision);
    else events.push(...(await carryOut(tx, record, decision, afterAll(incident, events))));
  }
  const { outputs, heads, random } = applying;
  outputs.push(...(await appendDecided(tx, incident, events, { heads, random })).outputs);
  if (events.length > 0) heads.set(incident.id, (await lockStreams(tx, [incident.id])).get(incident.id)!);
  return { kind: 'handled' };
}

const afterAll = (incident: ExistingIncident, events: readonly IncidentEvent[]): ExistingIncident =>
  fold(incident, events) as ExistingIncident;

/** The events of a decision; where it is refused, the timeline says so. */
async function carryOut(
  tx: Tx,
  record: IncidentCommandRecord,
  { command, what }: Extract<SyncDecision, { kind: 'command' }>,
  incident: ExistingIncident,
): Promise<IncidentEvent[]> {
  const { at, actor, id: causeId, config_revision: configRevision } = record;
  const decided = decide(command, incident, { at, actor, causeId, configRevision });
  if (!isRejection(decided)) return decided;
  const detail = `${what} in ${record.external.key} could not be taken over (${decided.rejected}).`;
  await noteSync(tx, record, { kind: 'note', type: 'sync.refused', detail });
  return [];
}
