import { createHash } from 'node:crypto';
import {
  checkEventData,
  dataProblem,
  deriveId,
  type EventTypeName,
  eventTypeNames,
  eventTypeOf,
  isEventType,
  mintId,
  nameOfCloudEventType,
  platformRecordOf,
  type PlatformEvent,
  publishedEventIdOf,
} from '@tocsin/contracts';
import { type Caller, type Clock, Problem, type Random } from '@tocsin/nest-shell';
import type { Pipeline } from '@tocsin/postgres';
import type { PublishEvent } from './events.dto.ts';
import { findPublished, prunePublished, storePublished } from './published-store.ts';

export interface PublishParts {
  pipeline: Pick<Pipeline, 'commitCommand'>;
  clock: Clock;
  random: Random;
}

/** What the publisher is told; a repeat is told the same. */
export interface PublishedView {
  id: string;
  type: string;
  time: string;
  source: string;
  workspace_id: string;
  status: 'accepted';
}

const KEPT_MS = 30 * 24 * 3_600_000;
const PRUNE_EVERY_MS = 3_600_000;

/** Takes catalogue events of other services: checked, remembered by their key, and said on `platform.events`, from where they are delivered. */
export class PublishedEvents {
  private prunedAt = 0;

  constructor(private readonly parts: PublishParts) {}

  publish(caller: Caller, input: PublishEvent, idempotencyKey?: string): Promise<PublishedView> {
    const { pipeline, clock } = this.parts;
    const name = checkedName(input.type);
    checkData(name, input.data);
    const now = clock();
    const event = this.eventOf(caller, { ...input, name }, idempotencyKey, now);
    const digest = digestOf(input);
    return pipeline.commitCommand(async (tx) => {
      if (await storePublished(tx, { event, digest, keyId: caller.keyId, now })) {
        await this.prune(tx, now);
        return {
          result: viewOf(event),
          outputs: [{ ...platformRecordOf(event), by: { stream: event.id, version: 1n } }],
        };
      }
      const first = await findPublished(tx, caller.workspaceId, event.id);
      if (first?.digest !== digest) throw new Problem('conflict', 'Another event was published under this key or id.');
      return { result: viewOf({ ...event, ...first }), outputs: [] };
    });
  }

  private eventOf(
    { workspaceId, name: keyName }: Caller,
    input: PublishEvent & { name: EventTypeName },
    idempotencyKey: string | undefined,
    now: Date,
  ): PlatformEvent {
    const source = input.source ?? `/keys/${encodeURIComponent(keyName.toWellFormed()).slice(0, 900)}`;
    const id = idempotencyKey
      ? deriveId('evt', workspaceId, 'idempotency-key', idempotencyKey)
      : input.id === undefined
        ? mintId('evt', this.parts.random(16))
        : publishedEventIdOf(workspaceId, source, input.id);
    const at = (input.time === undefined ? now : new Date(input.time)).toISOString();
    return { id, name: input.name, workspaceId, source, at, data: input.data };
  }

  private async prune(tx: Parameters<typeof prunePublished>[0], now: Date): Promise<void> {
    if (now.getTime() - this.prunedAt < PRUNE_EVERY_MS) return;
    await prunePublished(tx, new Date(now.getTime() - KEPT_MS));
    this.prunedAt = now.getTime();
  }
}

const viewOf = ({ id, name, workspaceId, source, at }: Omit<PlatformEvent, 'data'>): PublishedView => ({
  ...{ id, type: name, time: at, source, workspace_id: workspaceId, status: 'accepted' },
});

/** The event as it was given; a repeat under the same key must give the same. */
const digestOf = (input: PublishEvent): string => {
  const { type, data, source, time, id } = input;
  return createHash('sha256')
    .update(JSON.stringify([type, data, source, time, id]))
    .digest('hex');
};

const wrong = (path: string, code: string, message: string): Problem =>
  new Problem('validation-failed', `${path}: ${message}`, { errors: [{ path, code, message }] });

function checkedName(type: string): EventTypeName {
  const name = nameOfCloudEventType(type);
  const published = eventTypeNames.filter((one) => eventTypeOf(one).source === 'published');
  if (isEventType(name) && eventTypeOf(name).source === 'published') return name;
  if (isEventType(name)) throw wrong('type', 'not-publishable', `${name} is said by Tocsin only`);
  throw wrong('type', 'unknown-event', `must be one of ${published.join(', ')}`);
}

function checkData(name: EventTypeName, data: Record<string, unknown>): void {
  const errors = checkEventData(name, data);
  if (errors.length > 0)
    throw new Problem('validation-failed', `${errors[0]?.path}: ${errors[0]?.message}`, { errors });
  const problem = dataProblem(name, data);
  if (problem) throw wrong('data', 'too-large', problem.replace(/^data: /, ''));
}
