import { deriveId, type Severity } from '@tocsin/contracts';
import {
  initialState,
  isRejection,
  moveAlerts,
  type AlertsMoved,
  type ExistingIncident,
} from '@tocsin/domain/incident';
import type { Output, Tx } from '@tocsin/postgres';
import { actorOf, causeOf, eventsOfCause, otherBody, type Asking } from './command-causes.ts';
import { checkVersion, invalidField, notFound, problemOf } from './command-problems.ts';
import type { CommandParts } from './incident-commands.ts';
import { lockedIncident, lockIncidents } from './incident-locks.ts';
import type { StreamHead } from './incident-log.ts';
import { alertsOf, type HeldAlert } from './movable-store.ts';
import { answerOf, answerOfRepeat, type MoveAnswer } from './move-answers.ts';
import { writeMoves } from './write-moves.ts';

export interface MoveRequest extends Asking {
  alertIds: readonly string[];
  /** Undefined: a new incident is opened for them, of this title and severity where they are given. */
  into: string | undefined;
  title: string | undefined;
  severity: Severity | undefined;
  note: string | null;
}

interface Moving {
  request: MoveRequest;
  targetId: string;
  causeId: string;
  at: string;
  heads: Map<string, StreamHead>;
}

/** Takes alerts of one incident, with their keys and what was counted on them, to another one or to a new one. */
export class MoveAlertsCommand {
  constructor(private readonly parts: CommandParts) {}

  /** @throws Problem not-found, wrong-state, precondition-failed, conflict, validation-failed */
  run(request: MoveRequest): Promise<MoveAnswer> {
    const { pipeline, clock, random } = this.parts;
    const causeId = causeOf(request, 'move-alerts', random);
    const at = clock().toISOString();
    const targetId = request.into ?? deriveId('inc', causeId);
    if (targetId === request.incidentId)
      throw invalidField('into', 'same-incident', 'they are alerts of this incident');
    return pipeline.commitCommand(async (tx) => {
      const heads = await lockIncidents(tx, [request.incidentId], [request.incidentId, targetId]);
      const asked = lockedIncident(heads, request.incidentId, request.caller.workspaceId);
      const moving = { request, targetId, causeId, at, heads };
      const repeat = await repeatOf(tx, moving, asked);
      if (repeat) return { result: repeat, outputs: [] };
      checkVersion(asked, request.expectedVersion);
      return this.move(tx, moving, asked);
    });
  }

  private async move(
    tx: Tx,
    { request, targetId, causeId, at, heads }: Moving,
    asked: ExistingIncident,
  ): Promise<{ result: MoveAnswer; outputs: Output[] }> {
    const { into, title, severity, note } = request;
    const target = into === undefined ? initialState(targetId) : lockedIncident(heads, into, asked.workspaceId);
    const alerts = await namedAlerts(tx, request);
    const decided = moveAlerts(
      { source: asked, alerts, target, title, severity, note },
      { at, actor: actorOf(request.caller), causeId, configRevision: 0 },
    );
    if (isRejection(decided)) throw problemOf(decided, request.incidentId);
    const alertIds = alerts.map(({ alert }) => alert.id);
    const { random } = this.parts;
    const { streams, outputs } = await writeMoves(tx, { changes: decided, alertIds, targetId, heads, random, at });
    return { result: answerOf(asked, streams), outputs };
  }
}

/** The alerts in the order in which they joined. @throws Problem validation-failed for one that is not of this incident */
async function namedAlerts(tx: Tx, { incidentId, alertIds }: MoveRequest): Promise<HeldAlert[]> {
  const alerts = await alertsOf(tx, [incidentId], alertIds, alertIds.length);
  const found = new Set(alerts.map(({ alert }) => alert.id));
  const missing = alertIds.findIndex((id) => !found.has(id));
  if (missing < 0) return alerts;
  throw invalidField(
    `alert_ids[${missing}]`,
    'not-an-alert-of-this-incident',
    `${alertIds[missing]} is not one of its alerts`,
  );
}

/** @throws Problem conflict where this Idempotency-Key said something else */
async function repeatOf(
  tx: Tx,
  { request, causeId, targetId, heads }: Moving,
  asked: ExistingIncident,
): Promise<MoveAnswer | undefined> {
  const before = await eventsOfCause(tx, asked.id, causeId);
  if (!before) return undefined;
  const said = before.map(({ body }) => JSON.parse(body.toString('utf8')) as AlertsMoved['data']);
  const moved = said.flatMap((data) => (data.direction === 'out' ? data.alerts.map(({ alert_id }) => alert_id) : []));
  const same =
    said.every(({ incident_id, note }) => incident_id === targetId && note === request.note) &&
    JSON.stringify(moved.toSorted()) === JSON.stringify(request.alertIds.toSorted());
  if (!same) throw otherBody();
  if (!heads.has(targetId)) throw notFound(targetId);
  return answerOfRepeat(asked, before, [lockedIncident(heads, targetId, asked.workspaceId)]);
}
