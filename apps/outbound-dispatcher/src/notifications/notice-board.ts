import { decodeFacts, decodeRecord, type PlatformEvent } from '@tocsin/contracts';
import type { BatchResult } from '@tocsin/event-log';
import { headerNames } from '@tocsin/event-log';
import type { ConfigurationFeed } from '@tocsin/nest-shell';
import type { Batch, Input, Pipeline, Stage, Tx } from '@tocsin/postgres';
import { type Notification, ofDeadLetter, ofIncident, ofPlatformEvent } from './notification.ts';
import { storeNotifications } from './notification-store.ts';

export const NOTICE_BOARD = Symbol('NOTICE_BOARD');

export interface NoticeBoardParts {
  pipeline: Pick<Pipeline, 'commitBatch'>;
  feed: Pick<ConfigurationFeed, 'webhook'>;
  publicUrl: () => string;
  /** Whether notifications are mailed. */
  mails: boolean;
}

const OPENED = 'tocsin.incident.created.v1';

/** Writes notifications in the transaction in which their cause is read: each once, none without it. */
export class NoticeBoard {
  constructor(private readonly parts: NoticeBoardParts) {}

  /** Incidents that were opened at webhooks that want to be told; everything else costs a look at a header. */
  async incidents(tx: Tx, inputs: readonly Input[]): Promise<void> {
    const opened = inputs.filter(({ headers, type }) => headers['ce_type'] === OPENED && type === 'incident.event.v1');
    const made = opened.map(({ value }) => ofIncident(decodeRecord('incident.event.v1', value), this.wants, this.link));
    await this.store(tx, made);
  }

  async platformEvents(tx: Tx, events: readonly PlatformEvent[]): Promise<void> {
    // What other services publish is theirs to tell: the bell shows what Tocsin itself says.
    const own = events.filter(({ source }) => source === '/tocsin');
    await this.store(
      tx,
      own.map((event) => ofPlatformEvent(event, this.wants, this.link)),
    );
  }

  hearDeadLetters(batch: Batch): Promise<BatchResult> {
    return this.parts.pipeline.commitBatch(batch, this.deadLetters);
  }

  private readonly deadLetters: Stage<null> = {
    load: () => Promise.resolve(null),
    apply: async (tx, inputs) => {
      const facts = inputs.map(({ headers }) => decodeFacts('dead.letter.v1', headers[headerNames.facts] ?? ''));
      await this.store(
        tx,
        facts.map((one) => ofDeadLetter(one, this.link)),
      );
      return { verdicts: inputs.map(() => ({ kind: 'handled' })), outputs: [] };
    },
    forget: () => undefined, // keeps no cache
  };

  private async store(tx: Tx, made: readonly (Notification | undefined)[]): Promise<void> {
    await storeNotifications(
      tx,
      made.filter((one) => one !== undefined),
      this.parts.mails,
    );
  }

  private readonly wants = (webhookId: string): boolean =>
    this.parts.feed.webhook(webhookId)?.body.rca.notifyWorkspace === true;

  private readonly link = (path: string): string => `${this.parts.publicUrl()}${path}`;
}
