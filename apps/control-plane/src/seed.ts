import { base32, mintId } from '@tocsin/contracts';
import type { AllowList } from '@tocsin/domain/delivery';
import { insertApiKey, insertWorkspace } from './access.ts';
import { type ConfigurationStore, transactionOn } from './configuration-store.ts';
import {
  type Credentials,
  newApiKey,
  newInboundSecret,
  newOutboundSecret,
  newToken,
  readApiKey,
} from './credentials.ts';
import { ApiKeyRow, SubscriptionRow, WebhookRow, WorkspaceRow } from './entities.ts';
import { insertSubscription } from './subscriptions.ts';
import { type ConnectorCatalogue, insertWebhook } from './webhooks.ts';

/** Ids and credentials of the demo. The caller keeps them (`.tocsin/demo.json`): they are the one exception to "shown once". */
export interface DemoCredentials {
  workspaceId: string;
  webhookId: string;
  token: string;
  secret: string;
  subscriptionId: string;
  subscriptionSecret: string;
  /** `tsk_<id>_<secret>`, scope admin. */
  apiKey: string;
}

export interface SeedTools extends Credentials {
  /** Over the pipeline pool: seeding looks across workspaces. */
  store: ConfigurationStore;
  now: () => Date;
}

/** New ids and credentials for a demo, from strong randomness. */
export const newDemoCredentials = (credentials: Credentials): DemoCredentials => ({
  workspaceId: mintId('ws', credentials.random(16)),
  webhookId: mintId('whk', credentials.random(16)),
  token: newToken(credentials.random),
  secret: newInboundSecret(credentials.random),
  subscriptionId: mintId('sub', credentials.random(16)),
  subscriptionSecret: newOutboundSecret(credentials.random),
  apiKey: newApiKey(credentials).key,
});

/** The feed id is made here when there is none, so that nobody reads a feed without one. */
export const newFeedId = (credentials: Credentials) => (): string => `feed_${base32(credentials.random(16))}`;

/**
 * Makes the demo: workspace, webhook (generic, bearer, unlimited, answers with the incident), subscription, API key.
 * What exists stays as it is, also where a person has changed it; a second call with the same credentials writes nothing,
 * except that the subscription follows `subscriptionUrl` (the demo's own address may have moved to another port).
 */
export async function seedDemo(
  tools: SeedTools,
  demo: DemoCredentials,
  at: { subscriptionUrl: string; allow: AllowList; connectors: ConnectorCatalogue },
): Promise<void> {
  const key = readApiKey(demo.apiKey);
  if (!key) throw new TypeError('demo.apiKey is not tsk_<id>_<secret>');
  await tools.store.claimFeed(newFeedId(tools));
  await tools.store.transaction(async (manager) => {
    await manager.query('select pg_advisory_xact_lock(hashtext($1))', ['tocsin.seed']);
    const tx = transactionOn(manager, demo.workspaceId, tools.now());
    const exists = (target: typeof WorkspaceRow | typeof WebhookRow | typeof ApiKeyRow, id: string) =>
      manager.existsBy<WorkspaceRow | WebhookRow | ApiKeyRow>(target, { id, workspaceId: demo.workspaceId });
    if (!(await exists(WorkspaceRow, demo.workspaceId))) {
      // An earlier demo whose credentials were lost keeps its slug.
      const taken = await manager.existsBy(WorkspaceRow, { slug: 'demo' });
      const slug = taken ? `demo-${demo.workspaceId.slice(-6)}` : 'demo';
      await insertWorkspace(tx, tools, { name: 'Demo', slug });
    }
    if (!(await exists(WebhookRow, demo.webhookId)))
      await insertWebhook(tx, tools, at.connectors, {
        id: demo.webhookId,
        token: demo.token,
        secret: demo.secret,
        name: 'Demo webhook',
        connector: 'generic',
        auth: { method: 'bearer' },
        respond: 'wait',
        rate_limit_per_hour: 0,
      });
    await seedSubscription(tx, tools, demo, at);
    if (!(await exists(ApiKeyRow, key.id))) {
      const made = { id: key.id, key: demo.apiKey, secretHmac: tools.keyRing.pepperedHmac(key.secret) };
      await insertApiKey(tx, tools, { name: 'Demo key', scopes: ['admin'] }, made);
    }
  });
}

async function seedSubscription(
  tx: ReturnType<typeof transactionOn>,
  tools: SeedTools,
  demo: DemoCredentials,
  at: { subscriptionUrl: string; allow: AllowList },
): Promise<void> {
  const found = await tx.manager.findOneBy(SubscriptionRow, { id: demo.subscriptionId, workspaceId: demo.workspaceId });
  if (!found) {
    const input = {
      id: demo.subscriptionId,
      name: 'Demo sink',
      url: at.subscriptionUrl,
      events: ['*'],
      secret: demo.subscriptionSecret,
    };
    await insertSubscription(tx, tools, at.allow, input);
    return;
  }
  const url = new URL(at.subscriptionUrl).href;
  if (found.url === url || !isSink(found.url, url)) return; // a person has pointed it elsewhere
  found.url = url;
  await tx.save(found);
}

/** Same path on another port: still the demo's own sink. */
const isSink = (stored: string, wanted: string): boolean =>
  new URL(stored).pathname === new URL(wanted).pathname && new URL(stored).hostname === new URL(wanted).hostname;

export class BootstrapKeyError extends Error {
  readonly code = 'invalid-bootstrap-key';
}

/**
 * Makes the first key of an installation from `TOCSIN_BOOTSTRAP_API_KEY` (scope admin), in the oldest workspace, or in a new
 * one called "Default" when there is none. A key that exists already is left alone.
 * @throws BootstrapKeyError when the text is not a key, or names the id of a key with another secret
 */
export async function bootstrapApiKey(
  tools: SeedTools,
  key: string,
): Promise<{ workspaceId: string; created: boolean }> {
  const parts = readApiKey(key);
  if (!parts)
    throw new BootstrapKeyError(
      'TOCSIN_BOOTSTRAP_API_KEY must look like tsk_<id>_<secret>, both of a-z and 2-7 (id 8 to 64, secret 16 to 128 characters)',
    );
  const secretHmac = tools.keyRing.pepperedHmac(parts.secret);
  await tools.store.claimFeed(newFeedId(tools));
  return tools.store.transaction(async (manager) => {
    await manager.query('select pg_advisory_xact_lock(hashtext($1))', ['tocsin.seed']);
    const found = await manager.findOneBy(ApiKeyRow, { id: parts.id });
    if (found && found.secretHmac !== secretHmac)
      throw new BootstrapKeyError(
        'TOCSIN_BOOTSTRAP_API_KEY: a key with this id exists and has another secret (or TOCSIN_API_KEY_PEPPER has changed)',
      );
    if (found) return { workspaceId: found.workspaceId, created: false };
    const [oldest] = await manager.find(WorkspaceRow, { order: { createdAt: 'asc', id: 'asc' }, take: 1 });
    const tx = transactionOn(manager, oldest?.id ?? mintId('ws', tools.random(16)), tools.now());
    if (!oldest) await insertWorkspace(tx, tools, { name: 'Default' });
    await insertApiKey(tx, tools, { name: 'Bootstrap key', scopes: ['admin'] }, { id: parts.id, key, secretHmac });
    return { workspaceId: tx.workspaceId, created: true };
  });
}
