import { decodeFacts, type PoisonReason, type ReceiptFacts } from '@tocsin/contracts';
import { headerNames } from '@tocsin/event-log';
import type { Input } from '@tocsin/postgres';

export type Receipt =
  | { kind: 'receipt'; input: Input; facts: ReceiptFacts }
  /** Not a record of the gateway: nobody can be answered, the bytes are kept. */
  | { kind: 'broken'; input: Input; reason: PoisonReason; detail: string };

const needed = [
  'receiptId',
  'workspaceId',
  'webhookId',
  'connector',
  'receivedAt',
] as const satisfies readonly (keyof ReceiptFacts)[];
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

/** A record of `webhook.received` with its facts. Never throws. */
export function readReceipt(input: Input): Receipt {
  const broken = (reason: PoisonReason, detail: string): Receipt => ({ kind: 'broken', input, reason, detail });
  if (input.type !== 'webhook.received.v1') return broken('unknown-record-type', `type "${input.type.slice(0, 100)}"`);
  const header = input.headers[headerNames.facts];
  if (header === undefined) return broken('undecodable-record', 'no facts header');
  try {
    const facts = decodeFacts('webhook.received.v1', header) as Partial<ReceiptFacts> | null;
    const missing = needed.find((name) => typeof facts?.[name] !== 'string' || facts[name] === '');
    if (missing !== undefined) return broken('undecodable-record', `the facts lack ${missing}`);
    const read = facts as ReceiptFacts;
    if (!INSTANT.test(read.receivedAt)) return broken('undecodable-record', 'receivedAt is not an instant');
    if (!Number.isSafeInteger(read.configRevision) || read.configRevision < 0) {
      return broken('undecodable-record', 'configRevision is not a revision');
    }
    return { kind: 'receipt', input, facts: read };
  } catch (error) {
    return broken(
      'undecodable-record',
      `the facts are not JSON: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
