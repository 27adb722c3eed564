import type { Clock, Logger } from '@tocsin/nest-shell';
import type { Pool } from 'pg';
import type { MailEnvironment } from './mail-config.ts';
import { pruneNotifications } from './notification-store.ts';
import { readSmtpUrl, sendMail, type Mail, type SmtpServer } from './smtp.ts';

export const MAILER = Symbol('MAILER');

export interface MailerParts {
  pool: Pool;
  clock: Clock;
  log: Logger;
  config: MailEnvironment;
  send?: (server: SmtpServer, mail: Mail) => Promise<void>;
  /** How often it looks; default every 5 s. */
  everyMs?: number;
}

interface Due {
  workspace_id: string;
  id: string;
  title: string;
  text: string;
  url: string | null;
  count: number;
  mail_attempts: number;
}

const EVERY_MS = 5_000;
const AT_ONCE = 50;
/** So long nobody else sends what this worker has taken; also the pause after a failure, doubled with each. */
const HELD_MS = 120_000;
const ATTEMPTS_MAX = 8;
const KEPT_MS = 90 * 86_400_000;
const PRUNE_EVERY_MS = 3_600_000;

export const mails = ({ SMTP_URL, SMTP_TO }: MailEnvironment): boolean => SMTP_URL !== '' && SMTP_TO !== '';

/** Mails notifications, those of one workspace together, and forgets old ones. What a crash leaves is sent again, under the same id. */
export class Mailer {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private stopped = true;
  private prunedAt = 0;

  constructor(private readonly parts: MailerParts) {}

  start(): void {
    this.stopped = false;
    this.plan();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  private plan(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.running = this.work().finally(() => this.plan());
    }, this.parts.everyMs ?? EVERY_MS);
    this.timer.unref();
  }

  private async work(): Promise<void> {
    try {
      if (mails(this.parts.config)) await this.mailDue();
      await this.pruneHourly();
    } catch (error) {
      this.parts.log.warn({ error: (error as Error).message }, 'notifications.not-mailed'); // they stay due
    }
  }

  private async mailDue(): Promise<void> {
    const due = await this.take();
    for (const some of Map.groupBy(due, (one) => one.workspace_id).values()) await this.mail(some);
  }

  private async take(): Promise<Due[]> {
    const now = this.parts.clock();
    const { rows } = await this.parts.pool.query<Due>(
      `update outbound_dispatcher.notifications n set mail_after = $2, mail_attempts = mail_attempts + 1
         from (select workspace_id, id from outbound_dispatcher.notifications where mail_due and mail_after <= $1
                order by mail_after limit ${AT_ONCE} for update skip locked) due
        where n.workspace_id = due.workspace_id and n.id = due.id
       returning n.workspace_id, n.id, n.title, n.text, n.url, n.count, n.mail_attempts`,
      [now, new Date(now.getTime() + HELD_MS)],
    );
    return rows;
  }

  private async mail(some: readonly Due[]): Promise<void> {
    const { config, clock, log, send = sendMail } = this.parts;
    const [first] = some;
    if (!first) return;
    const mail: Mail = {
      ...{ from: config.SMTP_FROM, to: config.SMTP_TO.split(',').map((one) => one.trim()) },
      subject: some.length === 1 ? `[Tocsin] ${first.title}` : `[Tocsin] ${some.length} notifications: ${first.title}`,
      text: some.map(paragraphOf).join('\n\n'),
      ...{ messageId: `${first.id}.${some.length}@tocsin`, date: clock() },
    };
    try {
      await send(readSmtpUrl(config.SMTP_URL), mail);
      await this.settle(some, 'mail_due = false');
    } catch (error) {
      log.warn({ error: (error as Error).message, notifications: some.length }, 'notifications.not-mailed');
      await this.settle(
        some,
        `mail_due = mail_attempts < ${ATTEMPTS_MAX}, mail_after = $3::timestamptz + interval '1 minute' * power(2, least(mail_attempts, 8))`,
      );
    }
  }

  private async settle(some: readonly Due[], set: string): Promise<void> {
    const values: unknown[] = [some.map((one) => one.workspace_id), some.map(({ id }) => id)];
    await this.parts.pool.query(
      `update outbound_dispatcher.notifications n set ${set}
         from unnest($1::text[], $2::text[]) as sent(workspace_id, id) where n.workspace_id = sent.workspace_id and n.id = sent.id`,
      set.includes('$3') ? [...values, this.parts.clock()] : values,
    );
  }

  private async pruneHourly(): Promise<void> {
    const now = this.parts.clock().getTime();
    if (now - this.prunedAt < PRUNE_EVERY_MS) return;
    this.prunedAt = now;
    await pruneNotifications(this.parts.pool, new Date(now - KEPT_MS));
  }
}

const paragraphOf = ({ title, text, url, count }: Due): string =>
  [count > 1 ? `${title} (${count})` : title, text, url ?? ''].filter((line) => line !== '').join('\n');
