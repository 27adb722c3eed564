import { Problem, type Clock } from '@tocsin/nest-shell';
import { type Output, type Pipeline, type Tx, withWorkspace } from '@tocsin/postgres';
import type { Pool } from 'pg';
import { cursorOf, type Page, readCursor } from '../pages.ts';
import {
  currentWebhooks,
  findLetter,
  type FullLetterRow,
  type LetterFilter,
  type LetterRow,
  listLetters,
  lockLetters,
  markRedriven,
  openLetters,
} from './dead-letter-store.ts';
import { putBack, type RedriveResult } from './put-back.ts';

export interface Redriven {
  id: string;
  result: RedriveResult;
}
export interface RedriveAnswer {
  items: Redriven[];
  /** Whether further letters fit the filter. */
  more: boolean;
}

/** Letters per transaction: each may have a megabyte, and they go to the database once more as outbox rows. */
const CHUNK = 10;

/** What an operator reads of dead letters, and how they are put back. */
export class DeadLetters {
  constructor(
    private readonly restPool: Pool,
    private readonly pipeline: Pipeline,
    private readonly now: Clock,
  ) {}

  list(
    workspaceId: string,
    filter: LetterFilter,
    page: { limit: number; cursor?: string | undefined },
  ): Promise<Page<LetterRow>> {
    const before = readCursor(page.cursor);
    return withWorkspace(this.restPool, workspaceId, async (tx) => {
      const rows = await listLetters(tx, workspaceId, filter, { limit: page.limit + 1, before });
      const items = rows.slice(0, page.limit);
      const last = items.at(-1);
      const next = last && rows.length > page.limit ? cursorOf({ createdAt: last.at, id: last.id }) : null;
      return { items, next_cursor: next };
    });
  }

  /** @throws Problem not-found */
  async get(workspaceId: string, id: string): Promise<FullLetterRow> {
    const row = await withWorkspace(this.restPool, workspaceId, (tx) => findLetter(tx, workspaceId, id));
    if (!row) throw new Problem('not-found', 'There is no dead letter with this id in your workspace.');
    return row;
  }

  /** The oldest open letters that fit; the caller asks again while there are more. */
  async redriveMatching(
    workspaceId: string,
    by: string,
    filter: Omit<LetterFilter, 'status'>,
    limit: number,
  ): Promise<RedriveAnswer> {
    const ids = await withWorkspace(this.restPool, workspaceId, (tx) =>
      openLetters(tx, workspaceId, filter, limit + 1),
    );
    return { items: await this.redrive(workspaceId, by, ids.slice(0, limit)), more: ids.length > limit };
  }

  /** Each letter once: what was put back and the record that does it are one transaction. Answers in the order of the ids. */
  async redrive(workspaceId: string, by: string, ids: readonly string[]): Promise<Redriven[]> {
    const results = new Map<string, RedriveResult>();
    const once = [...new Set(ids)];
    for (let from = 0; from < once.length; from += CHUNK) {
      const chunk = once.slice(from, from + CHUNK);
      const done = await this.pipeline.commitCommand((tx) => this.putBackLocked(tx, workspaceId, by, chunk));
      for (const [id, result] of done) results.set(id, result);
    }
    return once.map((id) => ({ id, result: results.get(id) ?? 'not-found' }));
  }

  private async putBackLocked(tx: Tx, workspaceId: string, by: string, ids: readonly string[]) {
    const letters = await lockLetters(tx, workspaceId, ids);
    const webhookIds = letters.flatMap(({ webhook_id: id }) => id ?? []);
    const webhooks = await currentWebhooks(tx, workspaceId, webhookIds);
    const outputs: Output[] = [];
    const result = new Map<string, RedriveResult>();
    for (const letter of letters) {
      const done = putBack(letter, webhooks.get(letter.webhook_id ?? ''));
      if ('output' in done) outputs.push(done.output);
      result.set(letter.id, 'output' in done ? 'redriven' : done.refused);
    }
    const redriven = [...result].flatMap(([id, one]) => (one === 'redriven' ? [id] : []));
    if (redriven.length > 0) await markRedriven(tx, redriven, by, this.now());
    return { result, outputs };
  }
}
