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
const RETRY_MS = 500;

/**
 * Stores results of attempts. The next transaction takes everything that came in while the last one ran, so that one result waits for
 * nobody and a thousand share a commit. While the database is away results are kept, each with the slot that it occupies.
 */
export class SettleQueue {
  private waiting: Waiting[] = [];
  private running: Promise<void> | undefined;

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
      this.running ??= this.run().finally(() => (this.running = undefined));
    });
  }

  private async run(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting.slice(0, BATCH_MAX);
      try {
        const released = await this.commit(batch.map(({ result }) => result));
        this.waiting.splice(0, batch.length);
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
  }

  private commit(results: SettledDelivery[]): Promise<string[]> {
    return this.commitCommand(async (tx) => {
      const { accepted, released } = await settleDeliveries(tx, results);
      const { outputs, closed } = await noteEndpoints(tx, accepted, this.parts.endpoints);
      const told = accepted.filter(({ delivery, settled }) => settled.status !== 'retained' && !delivery.test);
      return {
        result: [...released, ...closed],
        outputs: [...told.map((one) => deliveryOutputs(one, this.clock())), ...exhaustedOutputs(accepted), ...outputs],
      };
    });
  }
}
