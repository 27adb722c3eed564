import type { AlertAnswer, ReceiptsSettled } from '@tocsin/contracts';
import type { Tx } from '@tocsin/postgres';
import { isCounted } from '../ledger/ledger-store.ts';
import { settlementsOf } from '../ledger/settlement.ts';
import { settle } from './record-outcomes-batch.ts';

/** What of a dead letter matters here. */
export interface LetterOfAlerts {
  topic: string;
  reason: string;
  at: string;
  /** Places of the broken alerts in the record; null: all of them. */
  parts: number[] | null;
  value: Buffer;
}

type Item = ReceiptsSettled['items'][number];
interface Identified {
  index: number;
  id: string;
}
type Envelope = Pick<Item, 'receiptId' | 'workspaceId' | 'webhookId' | 'receivedAt'> & {
  receiptTotal: number;
  alerts: (Identified | { alert: Identified })[];
};

/** Topics whose records hold alerts of one receipt. What the normalizer gives up it tells on `webhook.outcomes` itself. */
const OF_ALERTS: ReadonlySet<string> = new Set(['correlation.inputs', 'alert.correlated']);

/**
 * Alerts that the correlator or incident-store could not process have their outcome by that: no other record will tell it. A record
 * that nobody can read names no receipt; its alerts stay in flight until it is redriven.
 */
export async function settleLetters(tx: Tx, letters: readonly LetterOfAlerts[], now: Date): Promise<void> {
  const items = letters.flatMap(itemOf).filter(({ receivedAt }) => isCounted(receivedAt, now));
  if (items.length > 0) await settle(tx, settlementsOf(items));
}

function itemOf({ topic, reason, at, parts, value }: LetterOfAlerts): Item[] {
  const record = OF_ALERTS.has(topic) ? envelopeOf(value) : undefined;
  if (!record) return [];
  const { receiptId, workspaceId, webhookId, receivedAt, receiptTotal, alerts } = record;
  const broken = parts === null ? alerts : parts.flatMap((place) => alerts[place] ?? []);
  const answers = broken
    .map((one) => ('alert' in one ? one.alert : one))
    .map(({ index, id }): AlertAnswer => ({
      ...{ index, alertId: id, incidentId: null, outcome: 'dead-lettered', occurrenceCount: null },
      reason: reason as AlertAnswer['reason'],
    }));
  return [{ receiptId, workspaceId, webhookId, receivedAt, settledAt: at, total: receiptTotal, alerts: answers }];
}

function envelopeOf(value: Buffer): Envelope | undefined {
  try {
    const record = JSON.parse(value.toString('utf8')) as Partial<Envelope> | null;
    const texts = [record?.receiptId, record?.workspaceId, record?.webhookId, record?.receivedAt];
    if (!texts.every((text) => typeof text === 'string') || !Number.isInteger(record?.receiptTotal)) return undefined;
    const alerts = record?.alerts?.map((one) => ('alert' in one ? one.alert : one)) ?? [];
    return alerts.every(({ index }) => Number.isInteger(index) && index >= 0) ? (record as Envelope) : undefined;
  } catch {
    return undefined;
  }
}
