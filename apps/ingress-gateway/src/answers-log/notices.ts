import { deriveId, platformRecordOf, type PlatformEvent, type WebhookDocument } from '@tocsin/contracts';
import { headerNames, type AppendRecord, type EventLog } from '@tocsin/event-log';
import type { Logger } from '@tocsin/nest-shell';

const FLUSH_MS = 1_000;
const HOUR_MS = 3_600_000;
/** Notices that wait for a log that is away; further ones are dropped, as every refusal is counted elsewhere. */
const WAITING_MAX = 1_000;
const TOLD_MAX = 10_000;

export interface NoticesParts {
  eventLog: Pick<EventLog, 'append'>;
  log: Logger;
  /** Milliseconds since the epoch. */
  now: () => number;
  nameOf: (webhookId: string) => string;
}

type Notified = Pick<WebhookDocument, 'id' | 'workspaceId'>;

interface Over {
  webhook: Notified;
  at: number;
  count: number;
}

/**
 * Says on `platform.events` what the owner of a webhook must hear of at once (product P13): a client was locked out, a limit was reached.
 * Once per lock-out, and once per webhook and hour; the ids derive from these, so that several gateways say one event. Best effort, like
 * every word about answers: it never delays a request.
 */
export class Notices {
  private readonly timer: NodeJS.Timeout;
  private readonly waiting = new Map<string, AppendRecord>();
  /** Webhooks over a limit since the last flush that have not been told of in this hour. */
  private readonly over = new Map<string, Over>();
  private readonly told = new Map<string, number>();
  private running: Promise<void> | undefined;

  constructor(private readonly parts: NoticesParts) {
    this.timer = setInterval(() => void this.flush(), FLUSH_MS).unref();
  }

  lockedOut(webhook: Notified, client: string, failures: number, since: number): void {
    const data = { client_network: client, count: failures };
    const id = deriveId('evt', 'webhook.locked_out', webhook.id, client, String(Math.floor(since / 1000)));
    this.say(webhook, { id, name: 'webhook.locked_out', at: this.parts.now() }, data);
  }

  /** A request above a limit was refused, or taken in and rolled up. */
  overLimit(webhook: Notified, at: number): void {
    if (this.told.get(webhook.id) === hourOf(at)) return;
    const known = this.over.get(webhook.id);
    if (known) known.count += 1;
    else this.over.set(webhook.id, { webhook, at, count: 1 });
  }

  flush(): Promise<void> {
    this.running ??= this.append().finally(() => (this.running = undefined));
    return this.running;
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.flush();
  }

  private async append(): Promise<void> {
    this.tellOver();
    const records = [...this.waiting];
    if (records.length === 0) return;
    try {
      await this.parts.eventLog.append(records.map(([, record]) => record));
      for (const [id] of records) this.waiting.delete(id);
    } catch (error) {
      this.parts.log.debug({ err: error }, 'notices.not-appended');
    }
  }

  private tellOver(): void {
    for (const [webhookId, { webhook, at, count }] of this.over) {
      const id = deriveId('evt', 'webhook.rate_limited', webhookId, String(hourOf(at)));
      this.say(webhook, { id, name: 'webhook.rate_limited', at }, { count });
      this.told.delete(webhookId);
      this.told.set(webhookId, hourOf(at));
    }
    this.over.clear();
    for (const oldest of this.told.keys()) {
      if (this.told.size <= TOLD_MAX) break;
      this.told.delete(oldest);
    }
  }

  private say(
    { id: webhookId, workspaceId }: Notified,
    { id, name, at }: { id: string; name: PlatformEvent['name']; at: number },
    about: Record<string, unknown>,
  ): void {
    if (this.waiting.size >= WAITING_MAX) return;
    const data = { webhook_id: webhookId, webhook_name: this.parts.nameOf(webhookId), ...about };
    const event: PlatformEvent = { id, name, workspaceId, source: '/tocsin', at: new Date(at).toISOString(), data };
    const { type, topic, key, value, headers } = platformRecordOf(event);
    this.waiting.set(id, { topic, key, value, headers: { ...headers, [headerNames.type]: type } });
  }
}

const hourOf = (at: number): number => Math.floor(at / HOUR_MS);
