import {
  isRejection,
  mergeIncidents,
  type ExistingIncident,
  type IncidentsMerged,
  type MergeSource,
} from '@tocsin/domain/incident';
import type { Output, Tx } from '@tocsin/postgres';
import { actorOf, causeOf, eventsOfCause, otherBody, type Asking } from './command-causes.ts';
import { checkVersion, invalidField, problemOf } from './command-problems.ts';
import type { CommandParts } from './incident-commands.ts';
import { lockedIncident, lockIncidents } from './incident-locks.ts';
import type { StreamHead } from './incident-log.ts';
import { alertsOf, insertMerged } from './movable-store.ts';
import { answerOf, answerOfRepeat, type MoveAnswer } from './move-answers.ts';
import { writeMoves } from './write-moves.ts';

/** One transaction moves them all. */
const MERGED_ALERTS_MAX = 5_000;

export interface MergeRequest extends Asking {
  /** The incident that stays; undefined: the one of the address stays and takes in `ids`. */
  into: string | undefined;
  ids: readonly string[];
  note: string | null;
}

/** Who goes, and who stays. */
interface Sides {
  survivorId: string;
  sourceIds: readonly string[];
}

const sidesOf = ({ incidentId, into, ids }: MergeRequest): Sides =>
  into === undefined ? { survivorId: incidentId, sourceIds: ids } : { survivorId: into, sourceIds: [incidentId] };

interface Merging extends Sides {
  request: MergeRequest;
  causeId: string;
  at: string;
  heads: Map<string, StreamHead>;
}

/**
 * Makes one incident of several, in one transaction over all their streams: alerts and keys go to the survivor, the others are closed
 * with a pointer, and whatever comes later for their keys reaches the survivor.
 */
export class MergeIncidents {
  constructor(private readonly parts: CommandParts) {}

  /** @throws Problem not-found, wrong-state, merge-cycle, precondition-failed, conflict, validation-failed */
  run(request: MergeRequest): Promise<MoveAnswer> {
    const { pipeline, clock, random } = this.parts;
    const causeId = causeOf(request, 'merge', random);
    const at = clock().toISOString();
    const sides = sidesOf(request);
    const { survivorId, sourceIds } = sides;
    return pipeline.commitCommand(async (tx) => {
      const heads = await lockIncidents(tx, sourceIds, [survivorId, ...sourceIds]);
      const asked = lockedIncident(heads, request.incidentId, request.caller.workspaceId);
      const merging = { ...sides, request, causeId, at, heads };
      const repeat = await repeatOf(tx, merging, asked);
      if (repeat) return { result: repeat, outputs: [] };
      checkVersion(asked, request.expectedVersion);
      return this.merge(tx, merging, asked);
    });
  }

  private async merge(
    tx: Tx,
    { survivorId, sourceIds, request, causeId, at, heads }: Merging,
    asked: ExistingIncident,
  ): Promise<{ result: MoveAnswer; outputs: Output[] }> {
    const { workspaceId } = request.caller;
    const survivor = lockedIncident(heads, survivorId, workspaceId);
    const incidents = sourceIds.map((id) => lockedIncident(heads, id, workspaceId));
    const sources = await withAlerts(tx, incidents);
    const survivorWentTo = survivor.mergedInto === null ? [] : await wayFrom(tx, survivor.mergedInto);
    const decided = mergeIncidents(
      { sources, survivor, survivorWentTo, note: request.note },
      { at, actor: actorOf(request.caller), causeId, configRevision: 0 },
    );
    if (isRejection(decided)) throw problemOf(decided, request.incidentId);
    const alertIds = sources.flatMap(({ alerts }) => alerts.map(({ alert }) => alert.id));
    const { random } = this.parts;
    const { streams, outputs } = await writeMoves(tx, {
      ...{ changes: decided, alertIds, targetId: survivorId, heads, random, at },
    });
    await insertMerged(tx, workspaceId, sourceIds, survivorId);
    return { result: answerOf(asked, streams), outputs };
  }
}

/** @throws Problem conflict where this Idempotency-Key said something else */
async function repeatOf(
  tx: Tx,
  { request, causeId, survivorId, sourceIds, heads }: Merging,
  asked: ExistingIncident,
): Promise<MoveAnswer | undefined> {
  const before = await eventsOfCause(tx, asked.id, causeId);
  const merged = before?.find(({ type }) => type === 'IncidentsMerged');
  if (!before || !merged) return undefined;
  const said = JSON.parse(merged.body.toString('utf8')) as IncidentsMerged['data'];
  const named = said.role === 'merged' ? [said.into.incident_id] : said.incidents.map(({ incident_id }) => incident_id);
  const wanted = request.into === undefined ? sourceIds : [survivorId];
  if (JSON.stringify(named.toSorted()) !== JSON.stringify(wanted.toSorted()) || said.note !== request.note)
    throw otherBody();
  return answerOfRepeat(
    asked,
    before,
    wanted.map((id) => lockedIncident(heads, id, asked.workspaceId)),
  );
}

/** @throws Problem validation-failed where they hold more than one transaction should move */
async function withAlerts(tx: Tx, incidents: readonly ExistingIncident[]): Promise<MergeSource[]> {
  const ids = incidents.map(({ id }) => id);
  const alerts = await alertsOf(tx, ids, null, MERGED_ALERTS_MAX + 1);
  if (alerts.length > MERGED_ALERTS_MAX)
    throw invalidField('ids', 'too-many-alerts', `hold more than ${MERGED_ALERTS_MAX} alerts: too many for one merge`);
  const byIncident = Map.groupBy(alerts, ({ incidentId }) => incidentId);
  return incidents.map((incident) => ({ incident, alerts: byIncident.get(incident.id) ?? [] }));
}

/** Where an incident was merged into, and that one, to the end. A merge is never undone, so this needs no locks. */
async function wayFrom(tx: Tx, incidentId: string): Promise<string[]> {
  const { rows } = await tx.query<{ id: string }>(
    `with recursive way as (
       select $1::text as id
       union select s.state->>'mergedInto' from incident_store.streams s join way on s.stream_id = way.id where s.state->>'mergedInto' is not null
     ) select id from way`,
    [incidentId],
  );
  return rows.map(({ id }) => id);
}
