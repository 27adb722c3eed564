import { randomBytes } from 'node:crypto';
import { createKeyRing } from '@tocsin/nest-shell';
import { createPools, type Pools } from '@tocsin/postgres';
import { testDatabase } from '@tocsin/testing';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiKeys, Workspaces } from './access.ts';
import { RESTORE_GAP } from './configuration-feed.ts';
import {
  bootstrapApiKey,
  ConfigurationStore,
  connectorCatalogue,
  controlPlane,
  newDemoCredentials,
  seedDemo,
  type SeedTools,
} from './index.ts';
import { WebhookRow } from './entities.ts';
import { Webhooks } from './webhooks.ts';
import { parseAllowList } from '@tocsin/domain/delivery';

const now = () => new Date();
const credentials = {
  keyRing: createKeyRing(`k1:${randomBytes(32).toString('base64')}`, 'pepper-of-the-test-installation', randomBytes),
  random: randomBytes,
};

interface FeedRow {
  feed_id: string;
  revision: string;
  kind: string;
  id: string;
  deleted: boolean;
  body: Record<string, unknown>;
}

let database: Awaited<ReturnType<typeof testDatabase>>;
let pools: Pools;
let rest: ConfigurationStore;
let tools: SeedTools;

beforeAll(async () => {
  database = await testDatabase({ migrations: [{ schema: 'control_plane', directory: controlPlane.migrations! }] });
  pools = createPools({ connectionString: database.url, max: 12, applicationName: 'configuration-feed-spec' });
  rest = new ConfigurationStore(pools.rest, now);
  tools = { ...credentials, store: new ConfigurationStore(pools.pipeline, now), now };
});
afterAll(async () => {
  await rest.close();
  await tools.store.close();
  await pools.close();
  await database.drop();
});

const feed = async (): Promise<FeedRow[]> =>
  (await pools.pipeline.query<FeedRow>('select * from control_plane.configuration_feed order by revision')).rows;

describe('a database that was copied', () => {
  it('has another feed id and leaves out the revisions that the original may have given since', async () => {
    const original = await testDatabase({
      migrations: [{ schema: 'control_plane', directory: controlPlane.migrations! }],
    });
    const visit = async (url: string) => {
      const own = createPools({ connectionString: url, applicationName: 'copy-spec' });
      const store = new ConfigurationStore(own.pipeline, now);
      const claimed = await store.claimFeed(() => `feed_${randomBytes(4).toString('hex')}`);
      const head = await own.pipeline.query<{ revision: string }>('select revision from control_plane.feed_head');
      await store.close();
      await own.close();
      return { ...claimed, head: Number(head.rows[0]!.revision) };
    };
    const first = await visit(original.url);
    const copyName = `${new URL(original.url).pathname.slice(1)}_copy`;
    const copyUrl = Object.assign(new URL(original.url), { pathname: `/${copyName}` }).href;
    const admin = new Client({ connectionString: database.url });
    await admin.connect();
    try {
      await admin.query(`create database "${copyName}" template "${new URL(original.url).pathname.slice(1)}"`);
      const copy = await visit(copyUrl);
      expect(copy).toMatchObject({ renewed: true, head: first.head + RESTORE_GAP });
      expect(copy.feedId).not.toBe(first.feedId);
      expect(await visit(copyUrl)).toEqual({ ...copy, renewed: false });
      expect(await visit(original.url)).toEqual({ ...first, renewed: false });
    } finally {
      await admin.query(`drop database if exists "${copyName}" with (force)`);
      await admin.end();
      await original.drop();
    }
  });
});

describe('the configuration feed', () => {
  it('gets an id at the first boot, keeps it at the next, and gets another one in a restored database', async () => {
    let made = 0;
    const next = () => `feed_${++made}`;
    expect(await tools.store.claimFeed(next)).toEqual({ feedId: 'feed_1', renewed: false });
    expect(await tools.store.claimFeed(next)).toEqual({ feedId: 'feed_1', renewed: false });
    const head = async () =>
      Number((await pools.pipeline.query('select revision from control_plane.feed_head')).rows[0].revision);
    const before = await head();
    await pools.pipeline.query(`update control_plane.feed_head set marker = 'another cluster'`);
    expect(await tools.store.claimFeed(next)).toEqual({ feedId: 'feed_2', renewed: true });
    expect(await head()).toBe(before + RESTORE_GAP);
  });

  it('shows the revisions of eight concurrent writers in order and without gaps, whoever rolls back', async () => {
    const { workspace } = await new Workspaces(rest, credentials).create({ name: 'Busy' });
    const webhooks = new Webhooks(rest, credentials, connectorCatalogue);
    const keys = new ApiKeys(rest, credentials);
    const start = Number((await feed()).at(-1)!.revision);

    let writing = true;
    const seen: number[] = [];
    const follow = async () => {
      for (;;) {
        const last = !writing;
        const { rows } = await pools.pipeline.query<{ revision: string }>(
          'select revision from control_plane.configuration_feed where revision > $1 order by revision',
          [seen.at(-1) ?? start],
        );
        seen.push(...rows.map(({ revision }) => Number(revision)));
        if (last) return;
      }
    };
    const follower = follow();
    const writer = async (n: number) => {
      for (let i = 0; i < 15; i++) {
        const { row } = await webhooks.create(workspace.id, { name: `${n}/${i}`, connector: 'generic' });
        await webhooks.update(workspace.id, row.id, { enabled: false });
        await expect(
          rest.inWorkspace(workspace.id, async (tx) => {
            await tx.save(await tx.lock(WebhookRow, row.id));
            throw new Error('changed my mind');
          }),
        ).rejects.toThrow('changed my mind');
        if (i % 3 === 0) await keys.create(workspace.id, { name: `${n}/${i}`, scopes: ['read'] });
        if (i % 5 === 0) await webhooks.remove(workspace.id, row.id);
      }
    };
    await Promise.all(Array.from({ length: 8 }, (_, n) => writer(n)));
    writing = false;
    await follower;

    const written = 8 * (15 + 15 + 5 + 3);
    expect(seen).toEqual(Array.from({ length: written }, (_, i) => start + 1 + i));
  });

  it('says of each document what its row says, and keeps the last body of a deleted one', async () => {
    const { workspace } = await new Workspaces(rest, credentials).create({ name: 'Quiet', slug: 'quiet' });
    const webhooks = new Webhooks(rest, credentials, connectorCatalogue);
    const { row, shown } = await webhooks.create(workspace.id, { name: 'From the shop', connector: 'prometheus' });
    await webhooks.remove(workspace.id, row.id);
    const [made, gone] = (await feed()).filter(({ id }) => id === row.id);
    expect(made).toMatchObject({
      kind: 'webhook',
      deleted: false,
      workspace_id: workspace.id,
      revision: String(row.revision),
    });
    expect(made!.body).toEqual({
      name: 'From the shop',
      description: '',
      connector: 'prometheus',
      enabled: true,
      tokenHmac: credentials.keyRing.pepperedHmac(shown.token!),
      sealedToken: expect.any(String),
      previousTokens: [],
      auth: { method: 'bearer', header: null, prefix: null, username: null },
      secrets: [{ id: expect.stringMatching(/^sec_/), sealed: expect.any(String), notAfter: null }],
      respond: 'accept',
      rateLimitPerHour: 100,
      rateLimitAlertsPerMinute: 0,
      defaultSeverity: 'medium',
      severityProfile: 'tocsin',
      dedup: { windowHours: 24, windowFrom: 'last', reopenMinutes: 30, resolvePolicy: 'all' },
      correlation: { enabled: true, windowMinutes: 5, by: 'service', rules: null },
      rca: { autoTrigger: true, minSeverity: 'medium', notifyWorkspace: false },
      changes: { alertOnFailure: true },
      ...{ mode: 'live', incidentType: null, overLimit: 'reject', limits: { strict: false }, unlockedAt: null },
    });
    expect(gone).toMatchObject({ deleted: true, body: made!.body });
    const document = { id: workspace.id, body: (await feed()).find(({ id }) => id === workspace.id)!.body } as never;
    expect(credentials.keyRing.open(document, row.id, row.secrets[0]!.sealed)).toBe(shown.secret);
    expect(credentials.keyRing.open(document, row.id, row.sealedToken)).toBe(shown.token);
    expect(() => credentials.keyRing.open(document, 'whk_another', row.sealedToken)).toThrow();
  });

  it('is history that neither role may rewrite', async () => {
    for (const statement of [
      `update control_plane.configuration_documents set body = '{}'`,
      'delete from control_plane.configuration_documents',
    ])
      for (const pool of [pools.pipeline, pools.rest])
        await expect(pool.query(statement)).rejects.toThrow(/permission denied/);
  });

  it('shows nothing to the REST role without a workspace', async () => {
    for (const table of ['workspaces', 'webhooks', 'api_keys', 'configuration_documents'])
      expect((await pools.rest.query(`select 1 from control_plane.${table}`)).rowCount).toBe(0);
  });
});

describe('seeding', () => {
  const at = (subscriptionUrl: string) => ({
    subscriptionUrl,
    allow: parseAllowList('127.0.0.0/8+http'),
    connectors: connectorCatalogue,
  });

  it('makes the demo once: the same credentials again write nothing', async () => {
    const demo = newDemoCredentials(credentials);
    await seedDemo(tools, demo, at('http://127.0.0.1:8080/sink'));
    const first = await feed();
    expect(
      first.filter(({ id }) =>
        [demo.workspaceId, demo.webhookId, demo.subscriptionId, demo.apiKey.split('_')[1]].includes(id),
      ),
    ).toHaveLength(4);
    await seedDemo(tools, demo, at('http://127.0.0.1:8080/sink'));
    expect(await feed()).toHaveLength(first.length);
    const webhook = first.find(({ id }) => id === demo.webhookId)!.body;
    expect(webhook).toMatchObject({
      connector: 'generic',
      auth: { method: 'bearer' },
      respond: 'wait',
      rateLimitPerHour: 0,
      tokenHmac: credentials.keyRing.pepperedHmac(demo.token),
    });
  });

  it('makes another demo beside one whose credentials were lost; its subscription follows the sink to another port, unless a person moved it', async () => {
    const demo = newDemoCredentials(credentials);
    const url = async () => (await feed()).filter(({ id }) => id === demo.subscriptionId).at(-1)!.body['url'];
    await seedDemo(tools, demo, at('http://127.0.0.1:8080/sink'));
    await seedDemo(tools, demo, at('http://127.0.0.1:9090/sink'));
    expect(await url()).toBe('http://127.0.0.1:9090/sink');
    await pools.pipeline.query(
      `update control_plane.subscriptions set url = 'https://receiver.example/hook' where id = $1`,
      [demo.subscriptionId],
    );
    const before = (await feed()).length;
    await seedDemo(tools, demo, at('http://127.0.0.1:8080/sink'));
    expect((await feed()).length).toBe(before);
  });

  it('takes the bootstrap key once, also from several processes, and refuses another secret under its id', async () => {
    const key = newDemoCredentials(credentials).apiKey;
    const results = await Promise.all(Array.from({ length: 4 }, () => bootstrapApiKey(tools, key)));
    expect(results.filter(({ created }) => created)).toHaveLength(1);
    const other = key.replace(/_[a-z2-7]+$/, `_${'a'.repeat(52)}`);
    await expect(bootstrapApiKey(tools, other)).rejects.toMatchObject({ code: 'invalid-bootstrap-key' });
    await expect(bootstrapApiKey(tools, 'hunter2')).rejects.toMatchObject({ code: 'invalid-bootstrap-key' });
  });

  it('makes a default workspace when there is none', async () => {
    const empty = await testDatabase({
      migrations: [{ schema: 'control_plane', directory: controlPlane.migrations! }],
    });
    const own = createPools({ connectionString: empty.url, applicationName: 'bootstrap-spec' });
    const store = new ConfigurationStore(own.pipeline, now);
    try {
      const key = newDemoCredentials(credentials).apiKey;
      const { workspaceId } = await bootstrapApiKey({ ...tools, store }, key);
      const { rows } = await own.pipeline.query('select id, name from control_plane.workspaces');
      expect(rows).toEqual([{ id: workspaceId, name: 'Default' }]);
    } finally {
      await store.close();
      await own.close();
      await empty.drop();
    }
  });
});
