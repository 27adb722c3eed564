import { type ChangeEvent, deriveId, mintId } from '@tocsin/contracts';
import { type Clock, Problem, type Random } from '@tocsin/nest-shell';
import type { Pipeline } from '@tocsin/postgres';
import { findChange, storeChanges } from './change-store.ts';
import type { RecordChange } from './changes.dto.ts';
import { changeOutput } from './rca-facts.ts';

export interface RecordChangeParts {
  pipeline: Pick<Pipeline, 'commitCommand'>;
  clock: Clock;
  random: Random;
}

/**
 * Records a change and says it on `change.events`. With an idempotency key a repeat answers with what the first made.
 * It is stored here in the same transaction, so that an incident a moment later finds it.
 */
export function recordChange(
  parts: RecordChangeParts,
  workspaceId: string,
  input: RecordChange,
  idempotencyKey?: string,
): Promise<ChangeEvent> {
  const id = idempotencyKey ? deriveId('chg', workspaceId, idempotencyKey) : mintId('chg', parts.random(16));
  const change = changeOf(id, workspaceId, input, parts.clock());
  return parts.pipeline.commitCommand(async (tx) => {
    const isNew = (await storeChanges(tx, [change])).has(id);
    if (isNew) return { result: change, outputs: [changeOutput(change)] };
    return { result: (await findChange(tx, workspaceId, id)) ?? change, outputs: [] };
  });
}

function changeOf(id: string, workspaceId: string, input: RecordChange, now: Date): ChangeEvent {
  const started = instantOf(input.started);
  const finished = instantOf(input.finished);
  if (started !== null && finished !== null && finished < started)
    throw wrong('finished', 'before-started', 'must not be before started');
  return {
    id,
    workspace_id: workspaceId,
    kind: input.kind,
    service: input.service.trim(),
    version: input.version ?? null,
    environment: input.environment ?? null,
    status: input.status ?? null,
    title: input.title ?? null,
    url: input.url ?? null,
    actor: input.actor ?? null,
    started,
    finished,
    recorded_at: now.toISOString(),
  };
}

const instantOf = (text: string | null | undefined): string | null => (text ? new Date(text).toISOString() : null);
const wrong = (path: string, code: string, message: string) =>
  new Problem('validation-failed', `${path}: ${message}`, { errors: [{ path, code, message }] });
