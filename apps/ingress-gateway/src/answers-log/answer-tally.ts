import type { RequestsAnswered } from '@tocsin/contracts';

export type AcceptedAnswer = RequestsAnswered['answered'][number];
type RefusedEntry = RequestsAnswered['rejected'][number];
export type FirstRefused = NonNullable<RefusedEntry['first']>;

/** Whose answers are counted. */
export interface Answering {
  id: string;
  workspaceId: string;
}

export interface RefusedAnswer {
  /** When the request came, in milliseconds since the epoch. */
  at: number;
  problem: string;
  reason: string;
  /** The request in full; asked for only where it is the first of its reason and minute. */
  inFull: () => FirstRefused;
}

interface Tally {
  workspaceId: string;
  answered: AcceptedAnswer[];
  refused: Map<string, RefusedEntry>;
  /** By answer and reason: where there is no room for another minute, in a long outage, totals stay exact and minutes do not. */
  latest: Map<string, RefusedEntry>;
}

/** Product P7: refusals are told once a minute, with a count. */
export const MINUTE_MS = 60_000;
/** Accepted answers per webhook between two flushes, about a second apart: beyond it they are a sample. */
const ANSWERED_MAX = 50;
/** Bounds over all webhooks, for as long as nothing can be flushed. */
const ALL_ANSWERED_MAX = 20_000;
const ENTRIES_MAX = 20_000;
const IN_FULL_MAX = 1_000;

/** What was answered since the last `drain`, per webhook and in bounded memory. */
export class AnswerTally {
  private tallies = new Map<string, Tally>();
  private answered = 0;
  private entries = 0;
  private inFull = 0;
  private lost = 0;
  /** The minute whose first refusal was told in full, per webhook and reason. */
  private readonly told = new Map<string, number>();

  accepted(webhook: Answering, answer: AcceptedAnswer): void {
    if (this.answered >= ALL_ANSWERED_MAX) return;
    const { answered } = this.of(webhook);
    if (answered.length >= ANSWERED_MAX) return;
    answered.push(answer);
    this.answered += 1;
  }

  refused(webhook: Answering, { at, problem, reason, inFull }: RefusedAnswer): void {
    const { refused, latest } = this.of(webhook);
    const minute = Math.floor(at / MINUTE_MS);
    const kind = `${problem} ${reason}`;
    const known = refused.get(`${kind} ${minute}`) ?? (this.entries < ENTRIES_MAX ? undefined : latest.get(kind));
    if (known) known.count += 1;
    else if (this.entries >= ENTRIES_MAX) this.lost += 1;
    else {
      const entry: RefusedEntry = { minute: new Date(minute * MINUTE_MS).toISOString(), problem, reason, count: 1 };
      const first = this.firstOf(`${webhook.id} ${kind}`, minute, inFull);
      if (first) entry.first = first;
      refused.set(`${kind} ${minute}`, entry);
      latest.set(kind, entry);
      this.entries += 1;
    }
  }

  /** Takes what was counted, one value per webhook. `now` in milliseconds since the epoch. */
  drain(now: number): RequestsAnswered[] {
    const minute = Math.floor(now / MINUTE_MS);
    for (const [key, told] of this.told) if (told < minute) this.told.delete(key);
    const drained = [...this.tallies].map(([webhookId, { workspaceId, answered, refused }]) => ({
      workspaceId,
      webhookId,
      answered,
      rejected: [...refused.values()],
    }));
    this.tallies = new Map();
    this.answered = this.entries = this.inFull = 0;
    return drained;
  }

  /** Refusals that were not even counted, because too much waits to be flushed; forgets them. */
  takeLost(): number {
    const { lost } = this;
    this.lost = 0;
    return lost;
  }

  private firstOf(key: string, minute: number, inFull: () => FirstRefused): FirstRefused | undefined {
    // Where there is no room now, the next one that comes after a flush is told instead.
    if (this.told.get(key) === minute || this.inFull >= IN_FULL_MAX) return undefined;
    this.told.set(key, minute);
    this.inFull += 1;
    return inFull();
  }

  private of({ id, workspaceId }: Answering): Tally {
    const known = this.tallies.get(id);
    if (known) return known;
    const fresh: Tally = { workspaceId, answered: [], refused: new Map(), latest: new Map() };
    this.tallies.set(id, fresh);
    return fresh;
  }
}
