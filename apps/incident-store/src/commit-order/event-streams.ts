import type { ServerResponse } from 'node:http';
import type { Logger } from '@tocsin/nest-shell';
import type { EventsFeed, FeedItem } from './events-feed.ts';

/** Streams of one process at most; each costs a query after every event of its workspace. */
export const STREAMS_MAX = 500;
const PAGE = 100;
const HEARTBEAT_MS = 15_000;
/** A reader that takes nothing for so long is cut; it resumes with Last-Event-ID. */
const STALLED_MS = 30_000;

interface Stream {
  workspaceId: string;
  position: bigint;
  response: ServerResponse;
  reading: boolean;
  /** More may have come while it was reading. */
  again: boolean;
}

const messageOf = ({ position, outbound_name: name, event }: FeedItem): string =>
  `id: ${position}\nevent: ${name ?? 'incident.noted'}\ndata: ${JSON.stringify(event)}\n\n`;

/** Server-Sent Events of incident events: each stream reads on from its own position whenever something may have come. */
export class EventStreams {
  private readonly streams = new Set<Stream>();
  private readonly heartbeat: NodeJS.Timeout;

  constructor(
    private readonly feed: EventsFeed,
    private readonly log: Logger,
  ) {
    this.heartbeat = setInterval(() => this.beat(), HEARTBEAT_MS);
    this.heartbeat.unref();
  }

  get isFull(): boolean {
    return this.streams.size >= STREAMS_MAX;
  }

  /** Writes events after `position` to the response until one side closes it. */
  open(workspaceId: string, position: bigint, response: ServerResponse): void {
    const stream: Stream = { workspaceId, position, response, reading: false, again: false };
    this.streams.add(stream);
    response.on('close', () => this.streams.delete(stream));
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    response.write(': connected\n\n');
    void this.read(stream);
  }

  /** Something may have come. */
  wake = (): void => {
    for (const stream of this.streams) void this.read(stream);
  };

  close(): void {
    clearInterval(this.heartbeat);
    for (const { response } of this.streams) response.end();
  }

  private async read(stream: Stream): Promise<void> {
    stream.again = true;
    if (stream.reading) return;
    stream.reading = true;
    try {
      while (stream.again && this.streams.has(stream)) {
        stream.again = false;
        const items = await this.feed.after(stream.workspaceId, stream.position, PAGE);
        for (const item of items) {
          await written(stream.response, messageOf(item));
          stream.position = BigInt(item.position);
        }
        if (items.length === PAGE) stream.again = true;
      }
    } catch (error) {
      // The reader comes back with the last id it has seen.
      this.log.info({ error: (error as Error).message }, 'event-stream.ended');
      stream.response.destroy();
    } finally {
      stream.reading = false;
    }
  }

  private beat(): void {
    for (const { response, reading } of this.streams) if (!reading) response.write(': still here\n\n');
  }
}

/** Resolves when the socket takes more. @throws Error where the reader is gone or stalls */
function written(response: ServerResponse, text: string): Promise<void> {
  if (response.destroyed) return Promise.reject(new Error('the reader went away'));
  if (response.write(text)) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const done = (error?: Error) => {
      clearTimeout(timer);
      response.off('drain', drained).off('close', closed);
      if (error) reject(error);
      else resolve();
    };
    const drained = () => done();
    const closed = () => done(new Error('the reader went away'));
    const timer = setTimeout(() => done(new Error('the reader takes nothing')), STALLED_MS);
    response.on('drain', drained).on('close', closed);
  });
}
