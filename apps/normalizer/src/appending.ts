import { encodeRecord, PACKED_BYTES_MAX } from '@tocsin/contracts';
import { type AppendRecord, headerNames } from '@tocsin/event-log';
import type { Batch, Input } from '@tocsin/postgres';
import type { Draft, SettledItem } from './outputs.ts';

/**
 * Collects the records of one batch in the order of its inputs and gives each its mark: origin and offset of the input, and an ordinal
 * that counts the input's own outputs, so that a re-read input gives the same marks and readers drop the repeat.
 */
export class Appending {
  readonly records: AppendRecord[] = [];
  private readonly ordinals = new Map<bigint, number>();
  private readonly origin: string;
  private readonly settled: { input: Input; item: SettledItem }[] = [];

  constructor(batch: Pick<Batch, 'source' | 'logId'>) {
    this.origin = `${batch.logId}/${batch.source.topic}/${batch.source.partition}`;
  }

  add(input: Input, drafts: readonly Draft[], settled: readonly SettledItem[]): void {
    for (const draft of drafts) this.push(input, draft);
    for (const item of settled) this.settled.push({ input, item });
  }

  /**
   * Packs the outcomes of the whole batch. They share one key and go last, each marked by the last input in it: within a partition a
   * record with mark m then says that every outcome up to m has been published, which is what a reader concludes from a mark.
   */
  finish(): readonly AppendRecord[] {
    const [first] = this.settled;
    if (!first) return this.records;
    let items: SettledItem[] = [];
    let bytes = 0;
    let last = first.input;
    const flush = () => {
      const value = encodeRecord('receipts.settled.v1', { items });
      this.push(last, { topic: 'webhook.outcomes', key: first.item.webhookId, type: 'receipts.settled.v1', value });
      items = [];
      bytes = 0;
    };
    for (const { input, item } of this.settled) {
      const size = Buffer.byteLength(JSON.stringify(item), 'utf8');
      if (items.length > 0 && bytes + size > PACKED_BYTES_MAX - 1_024) flush();
      items.push(item);
      bytes += size + 1;
      last = input;
    }
    flush();
    return this.records;
  }

  private push(input: Input, { topic, key, type, value, facts, headers }: Draft): void {
    const ordinal = this.ordinals.get(input.offset) ?? 0;
    this.ordinals.set(input.offset, ordinal + 1);
    const trace = input.headers[headerNames.trace];
    this.records.push({
      topic,
      key,
      value,
      headers: {
        ...headers,
        [headerNames.type]: type,
        [headerNames.mark]: `${this.origin};${input.offset};${ordinal}`,
        ...(facts === undefined ? {} : { [headerNames.facts]: facts }),
        ...(trace === undefined ? {} : { [headerNames.trace]: trace }),
      },
    });
  }
}
