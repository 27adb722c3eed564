import type { CommitCommand } from '@tocsin/postgres';
import type { Logger } from '@tocsin/nest-shell';
import { deliveryOutputs } from './delivery-facts.ts';
import { exhaustedOutputs, noteEndpoints, type EndpointParts } from './endpoint-news.ts';
import { settleDeliveries, type SettledDelivery } from './settle-store.ts';

interface Waiting {
  result: SettledDelivery;
  done: () => void;
}

/** Results per transaction; more wait for the next one. */
const BATCH_MAX = 200;
/** In a stream of results a transaction waits for some more: so long, or until there are so many. */
const GATHER_MS = 20;
const GATHERED = 64;
const RETRY_MS = 500;

/**
 * Stores results of attempts. The next transaction takes everything that came in while the last one ran, so that one result waits for
 * nobody and a thousand share a commit. While the database is away results are kept, each with the slot that it occupies.
 */
export class SettleQueue {
  private waiting: Waiting[] = [];
  private running = false;
  private storedAt = -Infinity;
  private gathered: (() => void) | undefined;

  constructor(
    private readonly commitCommand: CommitCommand,
    private readonly onReleased: (subscriptionIds: string[]) => void,
    private readonly clock: () => Date,
    private readonly parts: { log: Logger; endpoints: EndpointParts },
  ) {}

  /** Resolves when the result is stored. */
  add(result: SettledDelivery): Promise<void> {
    return new Promise((done) => {
      this.waiting.push({ result, done });
      if (this.waiting.length >= GATHERED) this.gathered?.();
      if (!this.running) void this.run();
    });
  }

  private async run(): Promise<void> {
    this.running = true;
    while (this.waiting.length > 0) {
      await this.gather();
      const batch = this.waiting.slice(0, BATCH_MAX);
      try {
        const released = await this.commit(batch.map(({ result }) => result));
        this.waiting.splice(0, batch.length);
        this.storedAt = performance.now();
        for (const { done } of batch) done();
        if (released.length > 0) this.onReleased(released);
      } catch (error) {
        this.parts.log.warn(
          { error: (error as Error).message, results: this.waiting.length },
          'deliveries.settle-failed',
        );
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
    this.running = false;
  }

  /** A result that comes alone waits for nobody. */
  private async gather(): Promise<void> {
    if (this.waiting.length >= GATHERED || performance.now() - this.storedAt > GATHER_MS) return;
    await new Promise<void>((resolve) => {
      const late = setTimeout(resolve, GATHER_MS);
      this.gathered = () => {
        clearTimeout(late);
        resolve();
      };
    });
    this.gathered = undefined;
  }

  private commit(results: SettledDelivery[]): Promise<string[]> {
    return this.commitCommand(async (tx) => {
      const { accepted, released, beside } = await settleDeliveries(tx, results, (those) =>
        noteEndpoints(tx, those, this.parts.endpoints),
      );
      const { outputs, closed } = beside;
      const told = accepted.filter(({ delivery, settled }) => settled.status !== 'retained' && !delivery.test);
      return {
        result: [...released, ...closed],
        outputs: [...told.map((one) => deliveryOutputs(one, this.clock())), ...exhaustedOutputs(accepted), ...outputs],
      };
    });
  }
}
