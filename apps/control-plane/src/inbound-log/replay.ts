import { deriveId, encodeFacts, mintId, type ReceiptFacts } from '@tocsin/contracts';
import { headerNames } from '@tocsin/event-log';
import { Problem, type Clock, type Random } from '@tocsin/nest-shell';
import type { Output, Pipeline } from '@tocsin/postgres';
import type { Webhooks } from '../webhooks.ts';
import type { DeliveryQueries } from './delivery-queries.ts';
import type { DeliveryRow, PayloadRow } from './delivery-view.ts';

export interface ReplayParts {
  pipeline: Pick<Pipeline, 'commitCommand'>;
  queries: DeliveryQueries;
  webhooks: Pick<Webhooks, 'get'>;
  clock: Clock;
  random: Random;
}

export interface Replay {
  workspaceId: string;
  webhookId: string;
  receiptId: string;
  /** Asked for twice with the same key it runs once. */
  idempotencyKey: string | undefined;
}

/** Runs a kept payload again with the webhook as it is now: a new receipt, which goes the way of every other one. */
export class Replays {
  constructor(private readonly parts: ReplayParts) {}

  /** @returns the id of the new receipt. @throws Problem payload-not-kept, payload-truncated, not-found, wrong-state */
  async run({ workspaceId, webhookId, receiptId, idempotencyKey }: Replay): Promise<string> {
    const { pipeline, queries, webhooks, clock, random } = this.parts;
    const webhook = await webhooks.get(workspaceId, webhookId);
    const { row, payload } = await queries.read(workspaceId, webhookId, receiptId);
    const kept = replayable(row, payload);
    if (!webhook.enabled)
      throw new Problem('conflict', 'The webhook is disabled; it takes no requests, replayed ones neither.');
    const id =
      idempotencyKey === undefined ? mintId('rcv', random(16)) : deriveId('rcv', webhookId, receiptId, idempotencyKey);
    const facts: ReceiptFacts = {
      receiptId: id,
      workspaceId,
      webhookId,
      connector: webhook.connector,
      configRevision: webhook.revision,
      receivedAt: clock().toISOString(),
      method: row.method ?? 'POST',
      query: row.query ?? '',
      contentType: kept.contentType,
      headers: row.headers ?? {},
      waiting: false,
      replayOf: receiptId,
    };
    await pipeline.commitCommand(() => Promise.resolve({ result: undefined, outputs: [received(facts, kept.body)] }));
    return id;
  }
}

const received = (facts: ReceiptFacts, value: Buffer): Output => ({
  topic: 'webhook.received',
  key: facts.webhookId,
  type: 'webhook.received.v1',
  value,
  headers: { [headerNames.facts]: encodeFacts('webhook.received.v1', facts) },
  by: { stream: facts.receiptId, version: 1n },
});

/** An empty body is a payload, too: some senders say everything in the address. */
function replayable(row: DeliveryRow, payload: PayloadRow | undefined): { body: Buffer; contentType: string | null } {
  if (payload?.truncated)
    throw new Problem('payload-truncated', `Only the first ${payload.body.length} bytes of ${row.id} are kept.`);
  if (payload) return { body: payload.body, contentType: payload.content_type };
  if (row.payload_absence === 'empty') return { body: Buffer.alloc(0), contentType: row.content_type };
  throw new Problem('payload-not-kept', `The payload of ${row.id} is not kept: ${row.payload_absence ?? 'expired'}.`);
}
