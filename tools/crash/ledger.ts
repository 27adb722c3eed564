import { alertIdOf } from '@tocsin/contracts';

/** What a sender knows about one dedup key: how often it tried, and which receipts it was promised. */
export interface LedgerEntry {
  key: string;
  attempts: number;
  receipts: string[];
  /** Sent with an Idempotency-Key: however many attempts, one occurrence. */
  idempotent: boolean;
}

/** The sender's book: every attempt, and every 2xx with its receipt. What is in here may never be lost. */
export class Ledger {
  private readonly entries = new Map<string, LedgerEntry>();
  confirmed = 0;
  refused = 0;
  readonly statuses = new Map<string, number>();

  open(key: string, idempotent: boolean): LedgerEntry {
    let entry = this.entries.get(key);
    if (!entry) this.entries.set(key, (entry = { key, attempts: 0, receipts: [], idempotent }));
    return entry;
  }

  confirm(entry: LedgerEntry, receiptId: string): void {
    entry.receipts.push(receiptId);
    this.confirmed += 1;
  }

  refuse(what: string): void {
    this.refused += 1;
    this.statuses.set(what, (this.statuses.get(what) ?? 0) + 1);
  }

  all(): LedgerEntry[] {
    return [...this.entries.values()];
  }
}

/** Ids of the alerts that confirmed receipts stand for (one alert per request). */
export const alertIdsOf = (entry: LedgerEntry): string[] => [
  ...new Set(entry.receipts.map((receipt) => alertIdOf(receipt, 0))),
];
