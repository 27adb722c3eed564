import { setTimeout as pause } from 'node:timers/promises';
import type { Client, MadeWebhook } from './client.ts';

const AGAIN_MS = 100;

/** What a sender has got done. */
export interface Sender {
  name: string;
  webhook: MadeWebhook;
  /** Alerts that were accepted: numbers 0 … accepted − 1. */
  accepted: number;
  receipts: string[];
}

export interface Answered {
  at: number;
  status: number;
  ms: number;
}

/**
 * Senders that each send one alert after another at a steady pace, to every gateway in turn, and send again what was not accepted: the next
 * alert leaves only after the one before was. What an outage held up is caught up on.
 */
export class SteadySenders {
  readonly senders: Sender[] = [];
  readonly answers: Answered[] = [];
  private going = true;
  private running: Promise<void[]> | undefined;

  constructor(
    private readonly gateways: () => string[],
    private readonly everyMs: number,
  ) {}

  static async make(client: Client, count: number, gateways: () => string[], everyMs: number): Promise<SteadySenders> {
    const load = new SteadySenders(gateways, everyMs);
    for (let at = 0; at < count; at += 1) {
      const name = `sender-${at}`;
      const content = { name, connector: 'generic', rate_limit_per_hour: 0, respond: 'accept' };
      load.senders.push({
        name,
        webhook: await client.make<MadeWebhook>('/api/v1/webhooks', content),
        accepted: 0,
        receipts: [],
      });
    }
    return load;
  }

  start(): void {
    this.going = true;
    this.running = Promise.all(this.senders.map((sender) => this.send(sender)));
  }

  /** Resolves when every alert that was begun is accepted. */
  async stop(): Promise<void> {
    this.going = false;
    await this.running;
  }

  /** Accepted by all senders together. */
  accepted = (): number => this.senders.reduce((sum, { accepted }) => sum + accepted, 0);

  /** Answers of a span of time, by their arrival. */
  between = (from: number, to: number): Answered[] => this.answers.filter(({ at }) => at >= from && at < to);

  private async send(sender: Sender): Promise<void> {
    let due = performance.now();
    let turn = sender.accepted;
    while (this.going) {
      if (due > performance.now()) await pause(due - performance.now());
      for (;;) {
        const urls = this.gateways();
        const receipt = await this.attempt(sender, urls[turn++ % urls.length] as string);
        if (receipt !== undefined) {
          sender.receipts.push(receipt);
          break;
        }
        await pause(AGAIN_MS);
      }
      sender.accepted += 1;
      due += this.everyMs;
    }
  }

  private async attempt({ name, webhook, accepted }: Sender, url: string): Promise<string | undefined> {
    const began = performance.now();
    const note = (status: number) =>
      this.answers.push({ at: performance.now(), status, ms: performance.now() - began });
    try {
      const response = await fetch(`${url}/webhook/${webhook.token}/trigger`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${webhook.secret}`,
          'content-type': 'application/json',
          'idempotency-key': `${name}/${accepted}`,
        },
        body: JSON.stringify({ title: `Load of ${name}`, service: name, dedup_key: name, n: accepted }),
      });
      const body = (await response.json()) as { receipt_id?: string };
      note(response.status);
      return response.status === 202 ? body.receipt_id : undefined;
    } catch {
      note(0); // the gateway was killed
      return undefined;
    }
  }
}
