import type { ReceiptFacts, WebhookDocument } from '@tocsin/contracts';
import type { NoteCode } from '@tocsin/domain/mapping';
import type { ConfigurationFeed } from '@tocsin/nest-shell';

/** What the normalizer needs to know of the configuration. */
export type Webhooks = Pick<ConfigurationFeed, 'webhookAt' | 'webhook' | 'atLeast' | 'loaded'>;

export interface WebhookSettings {
  document: WebhookDocument | undefined;
  notes: readonly NoteCode[];
}

/** A revision may be this late before the newest one has to do (architecture §13). */
const PATIENCE_MS = 10_000;
/** The handler shows a sign of life between two waits. */
const SLICE_MS = 1_000;

export const settingsKeyOf = (facts: ReceiptFacts): string => `${facts.webhookId} ${facts.configRevision}`;

/**
 * The webhook of each receipt at exactly the revision under which it was accepted, read once per webhook and revision of a batch.
 * Where that revision does not come: the newest one with the note `config-behind`; where the webhook is gone: defaults with
 * `config-missing`. An accepted alert is never dropped for its configuration.
 * @throws what the feed throws when it cannot read its history: the batch is to be tried again.
 */
export async function loadSettings(
  webhooks: Webhooks,
  receipts: readonly ReceiptFacts[],
  heartbeat: () => Promise<void>,
): Promise<ReadonlyMap<string, WebhookSettings>> {
  const wanted = new Map(receipts.map((facts) => [settingsKeyOf(facts), facts]));
  const found = new Map<string, WebhookSettings>();
  const late: [string, ReceiptFacts][] = [];
  for (const [key, facts] of wanted) {
    const document = await webhooks.webhookAt(facts.webhookId, facts.configRevision);
    if (document) found.set(key, { document, notes: [] });
    else late.push([key, facts]);
  }
  if (late.length === 0) return found;
  await waitFor(webhooks, Math.max(...late.map(([, facts]) => facts.configRevision)), heartbeat);
  for (const [key, facts] of late) found.set(key, await settingsAfterWaiting(webhooks, facts));
  return found;
}

/** Waits once for all late receipts of the batch. A revision that the feed has already passed will never come. */
async function waitFor(webhooks: Webhooks, revision: number, heartbeat: () => Promise<void>): Promise<void> {
  for (let waited = 0; waited < PATIENCE_MS; waited += SLICE_MS) {
    if (await webhooks.atLeast(revision, SLICE_MS)) return;
    await heartbeat();
  }
}

async function settingsAfterWaiting(webhooks: Webhooks, facts: ReceiptFacts): Promise<WebhookSettings> {
  const exact = await webhooks.webhookAt(facts.webhookId, facts.configRevision);
  if (exact) return { document: exact, notes: [] };
  const newest = webhooks.webhook(facts.webhookId);
  return newest ? { document: newest, notes: ['config-behind'] } : { document: undefined, notes: ['config-missing'] };
}
