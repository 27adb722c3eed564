import type { Message, Producer } from 'kafkajs';
import { EventLogError, messageOf } from '../errors.ts';
import { within } from './admin-client.ts';
import type { Client } from './client.ts';

/** A record with its place in the cluster. */
export interface Placed {
  topic: string;
  partition: number;
  bytes: number;
  message: Message;
}

interface Owner {
  left: number;
  since: number;
  resolve(): void;
  reject(error: unknown): void;
}
interface Queued {
  placed: Placed;
  owner: Owner;
}

export const REQUEST_BYTES_PER_PARTITION = 900 * 1024;
const REQUEST_BYTES = 8 * 1024 * 1024;
const QUEUE_BYTES = 64 * 1024 * 1024;

/**
 * One producer with one request under way, retries included. Records that arrive meanwhile make up the next request:
 * the slower the broker, the larger the batches, without a timer. Not idempotent: kafkajs's idempotent mode can
 * acknowledge records that were never stored.
 */
export class ProducerLane {
  private queue: Queued[] = [];
  private queuedBytes = 0;
  private running: Promise<void> | undefined;
  private current: Promise<{ producer: Producer; client: Client }> | undefined;
  private closed = false;

  constructor(
    private readonly create: () => Client,
    private readonly timeoutMs: number,
  ) {}

  append(records: Placed[]): Promise<void> {
    const bytes = records.reduce((sum, record) => sum + record.bytes, 0);
    if (this.closed) return Promise.reject(new EventLogError('log-closed', 'the log is closed'));
    if (this.queuedBytes > 0 && this.queuedBytes + bytes > QUEUE_BYTES)
      return Promise.reject(
        new EventLogError('append-failed', `${this.queuedBytes} bytes wait for the broker already`),
      );
    return new Promise((resolve, reject) => {
      const owner = { left: records.length, since: performance.now(), resolve, reject };
      for (const placed of records) this.queue.push({ placed, owner });
      this.queuedBytes += bytes;
      // After the current turn, so that the appends of one turn share a request.
      this.running ??= new Promise<void>((turn) => setImmediate(turn)).then(() => this.drain());
    });
  }

  private async drain(): Promise<void> {
    while (this.queue.length > 0) {
      const request = this.nextRequest();
      await this.sendInTime(request).then(
        () => request.forEach(({ owner }) => --owner.left === 0 && owner.resolve()),
        (error: unknown) => this.rejected(request, error),
      );
    }
    this.running = undefined;
  }

  private rejected(request: Queued[], error: unknown): void {
    for (const { owner } of request) owner.reject(error);
    this.rejectOverdue(error);
  }

  /** In order; what does not fit into its partition's share waits, and so does all that follows it there. */
  private nextRequest(): Queued[] {
    const request: Queued[] = [];
    const later: Queued[] = [];
    const bytesOf = new Map<string, number>();
    let total = 0;
    let looked = 0;
    for (const queued of this.queue) {
      if (total >= REQUEST_BYTES) break;
      looked++;
      const { topic, partition, bytes } = queued.placed;
      const place = `${topic}/${partition}`;
      const before = bytesOf.get(place) ?? 0;
      if (before > 0 && before + bytes > REQUEST_BYTES_PER_PARTITION) {
        bytesOf.set(place, Infinity);
        later.push(queued);
      } else {
        bytesOf.set(place, before + bytes);
        total += bytes;
        request.push(queued);
      }
    }
    this.queue = [...later, ...this.queue.slice(looked)];
    this.queuedBytes -= total;
    return request;
  }

  private async sendInTime(request: Queued[]): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () =>
          reject(
            new EventLogError(
              'append-timed-out',
              `no acknowledgement within ${this.timeoutMs} ms; the records may be stored all the same`,
            ),
          ),
        this.timeoutMs,
      );
    });
    const sending = this.send(request);
    try {
      await Promise.race([sending, late]);
    } catch (error) {
      sending.catch(() => undefined);
      this.discard();
      if (error instanceof EventLogError) throw error;
      throw new EventLogError('append-failed', `the broker did not take the records: ${messageOf(error)}`, {
        cause: error,
      });
    } finally {
      clearTimeout(timer);
    }
  }

  private async send(request: Queued[]): Promise<void> {
    const messages = new Map<string, Message[]>();
    for (const { placed } of request) {
      const list = messages.get(placed.topic);
      if (list) list.push(placed.message);
      else messages.set(placed.topic, [placed.message]);
    }
    const { producer } = await (this.current ??= this.connect());
    await producer.sendBatch({
      acks: -1,
      timeout: this.timeoutMs,
      topicMessages: [...messages].map(([topic, list]) => ({ topic, messages: list })),
    });
  }

  private async connect(): Promise<{ producer: Producer; client: Client }> {
    const client = this.create();
    const producer = client.kafka.producer({
      idempotent: false,
      allowAutoTopicCreation: false,
      maxInFlightRequests: 1,
      createPartitioner:
        () =>
        ({ message }) =>
          message.partition!,
    });
    try {
      await producer.connect();
    } catch (error) {
      client.gate.close();
      throw error;
    }
    return { producer, client };
  }

  /** A producer whose send failed may still be trying: its sockets are cut, so that nothing of it arrives after what follows. */
  private discard(): void {
    const dropped = this.current;
    this.current = undefined;
    void dropped?.then(
      ({ producer, client }) => {
        client.gate.close();
        void within(1_000, producer.disconnect());
      },
      () => undefined,
    );
  }

  /** Appends that have waited for as long as one request may take are told, not kept waiting for the next. */
  private rejectOverdue(error: unknown): void {
    const now = performance.now();
    const overdue = this.queue.filter(({ owner }) => now - owner.since >= this.timeoutMs);
    if (overdue.length === 0) return;
    const gone = new Set(overdue.map(({ owner }) => owner));
    for (const owner of gone) owner.reject(error);
    this.queue = this.queue.filter(({ owner }) => !gone.has(owner));
    this.queuedBytes = this.queue.reduce((sum, { placed }) => sum + placed.bytes, 0);
  }

  /** Sends what waits, then leaves. */
  async close(): Promise<void> {
    this.closed = true;
    while (this.running) await this.running;
    const connection = await this.current?.catch(() => undefined);
    this.current = undefined;
    if (!connection) return;
    await within(2_000, connection.producer.disconnect());
    connection.client.gate.close();
  }
}
