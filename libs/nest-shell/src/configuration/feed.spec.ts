import type { ConfigurationDocument, SubscriptionDocument, WebhookDocument } from '@tocsin/contracts';
import { describe, expect, it } from 'vitest';
import { ConfigurationView } from './feed.ts';
import { StaticConfigurationFeed } from './static-feed.ts';

const webhook = (
  revision: number,
  tokenHmac: string,
  more: Partial<WebhookDocument['body']> = {},
  deleted = false,
): WebhookDocument =>
  ({
    revision,
    kind: 'webhook',
    id: 'whk_1',
    workspaceId: 'ws_1',
    deleted,
    body: { name: 'w', tokenHmac, ...more },
  }) as WebhookDocument;
const subscription = (revision: number, id: string, workspaceId: string, deleted = false): SubscriptionDocument =>
  ({ revision, kind: 'subscription', id, workspaceId, deleted, body: { name: id } }) as SubscriptionDocument;

describe('the configuration view', () => {
  it('finds a webhook by its token, and by one that was rotated away from', () => {
    const view = new ConfigurationView();
    view.apply([webhook(1, 'old')]);
    view.apply([webhook(2, 'new', { previousTokens: [{ tokenHmac: 'old', notAfter: '2030-01-01T00:00:00.000Z' }] })]);
    expect(view.webhookByTokenHmac('new')?.revision).toBe(2);
    expect(view.webhookByTokenHmac('old')?.revision).toBe(2);
    view.apply([webhook(3, 'new')]);
    expect(view.webhookByTokenHmac('old')).toBeUndefined();
  });

  it('forgets a deleted webhook under all its names', () => {
    const view = new ConfigurationView();
    view.apply([webhook(1, 'token'), webhook(2, 'token', {}, true)]);
    expect([view.webhook('whk_1'), view.webhookByTokenHmac('token')]).toEqual([undefined, undefined]);
    expect(view.revision).toBe(2);
  });

  it('keeps subscriptions by workspace, also after changes', () => {
    const view = new ConfigurationView();
    view.apply([subscription(1, 'a', 'ws_1'), subscription(2, 'b', 'ws_2')]);
    expect(view.subscriptions('ws_1').map(({ id }) => id)).toEqual(['a']);
    view.apply([subscription(3, 'c', 'ws_1'), subscription(4, 'a', 'ws_1', true)]);
    expect(view.subscriptions('ws_1').map(({ id }) => id)).toEqual(['c']);
  });

  it('keeps what mutes a workspace as one list until that changes, and its topology', () => {
    const mute = (revision: number, kind: string, id: string, workspaceId: string, deleted = false) =>
      ({ revision, kind, id, workspaceId, deleted, body: {} }) as unknown as ConfigurationDocument;
    const view = new ConfigurationView();
    view.apply([mute(1, 'silence', 'sil_a', 'ws_1'), mute(2, 'maintenance-window', 'mnt_b', 'ws_1')]);
    const before = view.mutes('ws_1');
    view.apply([mute(3, 'silence', 'sil_c', 'ws_2'), mute(4, 'topology', 'top_d', 'ws_1')]);
    expect(before.map(({ id }) => id)).toEqual(['sil_a', 'mnt_b']);
    expect(view.mutes('ws_1')).toBe(before);
    expect([view.topology('ws_1')?.id, view.topology('ws_2')]).toEqual(['top_d', undefined]);
    view.apply([mute(5, 'silence', 'sil_a', 'ws_1', true), mute(6, 'topology', 'top_d', 'ws_1', true)]);
    expect(view.mutes('ws_1').map(({ id }) => id)).toEqual(['mnt_b']);
    expect(view.topology('ws_1')).toBeUndefined();
  });

  it('passes over a kind that only a newer version knows', () => {
    const view = new ConfigurationView();
    view.apply([
      {
        revision: 9,
        kind: 'of-tomorrow',
        id: 's',
        workspaceId: 'ws',
        deleted: false,
        body: {},
      } as unknown as ConfigurationDocument,
    ]);
    expect(view.all()).toEqual([]);
  });
});

describe('a feed', () => {
  it('tells when a revision has come, or that it did not', async () => {
    const feed = new StaticConfigurationFeed([webhook(1, 't')]);
    const coming = feed.atLeast(2, 10_000);
    feed.publish([webhook(2, 't')]);
    expect(await coming).toBe(true);
    expect(await feed.atLeast(3, 1)).toBe(false);
  });

  it('has exactly the revision that was asked for', async () => {
    const feed = new StaticConfigurationFeed([webhook(1, 'a'), webhook(2, 'b')]);
    expect((await feed.webhookAt('whk_1', 1))?.body.tokenHmac).toBe('a');
    expect(await feed.webhookAt('whk_1', 7)).toBeUndefined();
  });
});
