import { randomBytes } from 'node:crypto';
import { decodeFacts, type ReceiptFacts } from '@tocsin/contracts';
import { type EventLog, headerNames, type LogRecord } from '@tocsin/event-log';
import type { PastReceipt } from '@tocsin/connectors';
import type { Receipts } from './past.ts';
import type { Span } from './span.ts';

/** The log of the installation, as the services find it. */
export async function openReplayLog(environment: Record<string, string | undefined>): Promise<EventLog> {
  const { openKafka } = await import('@tocsin/event-log/kafka');
  const brokers = (environment['KAFKA_BROKERS'] ?? '').split(',').map((one) => one.trim());
  const prefix = environment['TOPIC_PREFIX'];
  return openKafka({ brokers, clientId: 'tocsin-replay', ...(prefix ? { prefix } : {}) });
}

/**
 * Receipts of a workspace out of `webhook.received`, byte for byte, from its first record to its present end, in the order of their
 * times. Reads as a group of its own, so that nobody else's position moves.
 */
export async function loggedReceipts(log: EventLog, workspaceId: string, span: Span): Promise<Receipts> {
  const { partitions } = await log.offsets('webhook.received');
  const missing = new Map(partitions.flatMap(({ partition, first, end }) => (end > first ? [[partition, end]] : [])));
  const found = new Map<string, PastReceipt>();
  let finished: () => void = () => undefined;
  const end = new Promise<void>((resolve) => (finished = resolve));
  if (missing.size === 0) return { receipts: [], skipped: {} };
  const consumer = await log.consume(
    {
      ...{ topic: 'webhook.received', mode: 'group', group: `tocsin-replay-${randomBytes(6).toString('hex')}` },
      onAssigned: (_source, { first }) => Promise.resolve({ seek: first }),
    },
    ({ source: { partition }, records }) => {
      for (const record of records) {
        const receipt = receiptOf(record, workspaceId, span);
        // A resend is the same receipt: its first record counts.
        if (receipt && !found.has(receipt.receiptId)) found.set(receipt.receiptId, receipt);
      }
      const next = (records.at(-1)?.offset ?? -1n) + 1n;
      if (next >= (missing.get(partition) ?? 0n)) missing.delete(partition);
      if (missing.size === 0) finished();
      return Promise.resolve({ kind: 'committed', next });
    },
  );
  try {
    await end;
  } finally {
    await consumer.close();
  }
  const receipts = [...found.values()].sort((a, b) =>
    a.receivedAt < b.receivedAt ? -1 : a.receivedAt > b.receivedAt ? 1 : 0,
  );
  return { receipts, skipped: {} };
}

/** Undefined: of another workspace or time, a dead letter that was redriven in part, or no receipt. */
function receiptOf({ headers, value }: LogRecord, workspaceId: string, { from, to }: Span): PastReceipt | undefined {
  const facts = factsOf(headers[headerNames.facts]);
  if (facts?.workspaceId !== workspaceId || facts.only !== undefined) return undefined;
  const at = Date.parse(facts.receivedAt);
  if (!(at >= from.getTime() && at < to.getTime())) return undefined;
  const { receiptId, webhookId, receivedAt, contentType, headers: sent, query, overLimit } = facts;
  return {
    ...{ receiptId, workspaceId, webhookId, receivedAt, ...(overLimit === undefined ? {} : { overLimit }) },
    payload: { bytes: value, contentType, headers: sent, query },
  };
}

function factsOf(header: string | undefined): ReceiptFacts | undefined {
  if (header === undefined) return undefined;
  try {
    return decodeFacts('webhook.received.v1', header);
  } catch {
    return undefined; // not a record of the gateway
  }
}
