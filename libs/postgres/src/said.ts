import { recorderOf, writeOutcome, type Cause, type Consumed, type OutboxRow } from './outbox.ts';
import type { Output, Tx } from './pipeline.ts';
import { together, turn } from './together.ts';

/** What a batch says, and of what it is the outcome. */
export interface Said {
  lane: string;
  notify: string | undefined;
  outputs: readonly Output[];
  /** Each lot is put together while the server writes the one before it. */
  lots: Iterable<readonly Output[]>;
  cause: Cause;
  consumed: Consumed;
}

/** Marks and outputs of a batch: statements are sent as their lots are ready. @returns the outbox rows, ids in publishing order */
export async function writeSaid(tx: Tx, schema: string, said: Said): Promise<OutboxRow[]> {
  const { lane, notify, outputs, lots, cause, consumed } = said;
  const recorded = recorderOf([cause]);
  const write = (lot: readonly Output[], of?: Consumed): Promise<OutboxRow[]> => {
    const records = recorded(lot);
    const writing = writeOutcome(tx, schema, { lane, records, ...(notify === undefined ? {} : { notify }) }, of);
    writing.catch(() => undefined); // told below, when all are answered
    return writing;
  };
  const sent = [write(outputs, consumed)];
  try {
    for (const lot of lots) {
      sent.push(write(lot));
      await turn();
    }
  } catch (error) {
    await Promise.allSettled(sent);
    throw error;
  }
  return (await together(...sent)).flat();
}
