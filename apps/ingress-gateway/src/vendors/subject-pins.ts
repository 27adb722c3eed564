import type { WebhookDocument } from '@tocsin/contracts';
import type { Pool } from 'pg';
import { VendorAway } from './vendor-fetch.ts';

const CACHED_MAX = 50_000;

/** Remembers for a webhook whose subject was the first one verified. */
export type PinSubject = (webhook: Pick<WebhookDocument, 'id' | 'workspaceId'>, subject: string) => Promise<string>;

/** One statement: the first subject stays, and every replica reads the same one. */
export const pinInDatabase =
  (pool: Pool, now: () => Date): PinSubject =>
  async ({ id, workspaceId }, subject) => {
    const { rows } = await pool.query<{ subject: string }>(
      `insert into ingress_gateway.pinned_subjects as pinned (webhook_id, workspace_id, subject, pinned_at)
       values ($1, $2, $3, $4)
       on conflict (webhook_id) do update set subject = pinned.subject
       returning pinned.subject`,
      [id, workspaceId, subject, now()],
    );
    return rows[0]?.subject ?? subject;
  };

/**
 * Whom a vendor's signature must be about. Everybody can have a topic, a repository or an account at the vendor, so a good signature
 * alone says nothing: the webhook lists whom it means, or the first one that comes is kept for good.
 */
export class SubjectPins {
  private readonly pinned = new Map<string, string>();

  constructor(private readonly pin: PinSubject) {}

  /** @throws VendorAway where nobody is listed and the first one cannot be remembered */
  async allows(webhook: WebhookDocument, subject: string): Promise<boolean> {
    if (subject === '') return false;
    const wanted = subject.toLowerCase();
    const listed = webhook.body.auth.subjects ?? [];
    if (listed.length > 0) return listed.some((one) => one.trim().toLowerCase() === wanted);
    const first = this.pinned.get(webhook.id) ?? (await this.remember(webhook, wanted));
    return first === wanted;
  }

  private async remember(webhook: WebhookDocument, subject: string): Promise<string> {
    const first = await this.pin(webhook, subject).catch((error: unknown) => {
      throw new VendorAway('whom this webhook listens to cannot be read now', { cause: error });
    });
    if (this.pinned.size >= CACHED_MAX) this.pinned.clear();
    this.pinned.set(webhook.id, first);
    return first;
  }
}
