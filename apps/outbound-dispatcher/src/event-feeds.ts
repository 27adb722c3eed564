import { setTimeout as sleep } from 'node:timers/promises';
import { type Clock, type ConfigurationFeed, Problem } from '@tocsin/nest-shell';
import type { Pipeline } from '@tocsin/postgres';
import type { Pool } from 'pg';
import { unknownCursor } from './delivery-pages.ts';
import {
  acknowledge,
  acknowledgedPlace,
  feedCursorOf,
  readFeed,
  readFeedCursor,
  type FeedItem,
  type FeedPlace,
} from './event-feed.ts';
import type { FeedQuery } from './feed.dto.ts';
import { knownSubscription } from './known-subscription.ts';

export const EVENT_FEEDS = Symbol('EVENT_FEEDS');

export interface FeedAnswer {
  items: FeedItem[];
  /** Where to go on: behind the last item, or where this answer began. Null before the first event. */
  next_after: string | null;
  /** Up to where events are acknowledged; null = none is. */
  acknowledged: string | null;
}

interface FeedParts {
  restPool: Pool;
  pipeline: Pick<Pipeline, 'commitCommand'>;
  feed: Pick<ConfigurationFeed, 'subscriptions' | 'refresh'>;
  clock: Clock;
}

const LOOK_EVERY_MS = 200;
/** Requests that wait, per process: each looks into the database five times a second. */
const WAITING_MAX = 200;

/** Reads feeds and moves their cursors. */
export class EventFeeds {
  private waiting = 0;
  private closing = false;

  constructor(private readonly parts: FeedParts) {}

  async read(workspaceId: string, subscriptionId: string, asked: FeedQuery): Promise<FeedAnswer> {
    const { restPool, clock } = this.parts;
    await this.mustPull(workspaceId, subscriptionId);
    const acknowledged = await acknowledgedPlace(restPool, workspaceId, subscriptionId);
    const after = asked.after === undefined ? acknowledged : placeOf('after', asked.after);
    const until = clock().getTime() + asked.wait * 1000;
    const read = () => readFeed(restPool, { workspaceId, subscriptionId, after, limit: asked.limit });
    let items = await read();
    if (items.length === 0 && asked.wait > 0) items = await this.awaited(read, until);
    return {
      items,
      next_after: items.at(-1)?.cursor ?? (after ? feedCursorOf(after) : null),
      acknowledged: acknowledged ? feedCursorOf(acknowledged) : null,
    };
  }

  async acknowledge(workspaceId: string, subscriptionId: string, cursor: string) {
    await this.mustPull(workspaceId, subscriptionId);
    const place = placeOf('cursor', cursor);
    const { pipeline, clock } = this.parts;
    const done = await acknowledge(pipeline, { workspaceId, subscriptionId, place, now: clock() });
    return { acknowledged: feedCursorOf(done.place), count: done.acknowledged };
  }

  /** Who waits is answered at once: the process is going down. */
  close(): void {
    this.closing = true;
  }

  private async awaited(read: () => Promise<FeedItem[]>, until: number): Promise<FeedItem[]> {
    if (this.waiting >= WAITING_MAX)
      throw new Problem('unavailable', 'Too many readers are waiting here; ask again without wait.', {
        headers: { 'retry-after': '1' },
      });
    this.waiting += 1;
    try {
      while (!this.closing && this.parts.clock().getTime() < until) {
        await sleep(LOOK_EVERY_MS);
        const items = await read();
        if (items.length > 0) return items;
      }
      return [];
    } finally {
      this.waiting -= 1;
    }
  }

  private async mustPull(workspaceId: string, subscriptionId: string): Promise<void> {
    const { body } = await knownSubscription(this.parts.feed, workspaceId, subscriptionId);
    if (body.delivery !== 'pull')
      throw new Problem('conflict', 'Events of this subscription are sent, not fetched: its delivery is not "pull".');
  }
}

function placeOf(path: string, cursor: string): FeedPlace {
  const place = readFeedCursor(cursor);
  if (place) return place;
  throw unknownCursor(path, 'use the cursor of an event, or next_after');
}
