import type { WebhookBody, WebhookDocument } from '@tocsin/contracts';
import { StaticConfigurationFeed } from '@tocsin/nest-shell';
import { describe, expect, it } from 'vitest';
import { WebhookRules } from './webhook-rules.ts';

const aWebhook = (revision: number, windowHours: number, deleted = false): WebhookDocument => ({
  revision,
  kind: 'webhook',
  id: 'whk_a',
  workspaceId: 'ws_a',
  deleted,
  body: {
    name: '',
    description: '',
    connector: 'generic',
    enabled: true,
    tokenHmac: `hmac-${revision}`,
    sealedToken: '',
    secrets: [],
    respond: 'wait',
    auth: { method: 'none', header: null, prefix: null, username: null },
    rateLimitPerHour: 0,
    defaultSeverity: 'medium',
    severityProfile: 'tocsin',
    dedup: { windowHours, windowFrom: 'first', reopenMinutes: 5, resolvePolicy: 'all' },
    correlation: { enabled: false, windowMinutes: 9, by: 'service' },
    rca: { autoTrigger: true, minSeverity: 'medium' },
  } satisfies WebhookBody,
});
const anAlert = (configRevision: number) => ({ webhookId: 'whk_a', configRevision });

describe('the rules of a webhook', () => {
  it('are those of its newest revision, which is stored with the decision', async () => {
    const rules = new WebhookRules(new StaticConfigurationFeed([aWebhook(3, 24), aWebhook(5, 48)]));
    expect((await rules.of([anAlert(3)]))(anAlert(3))).toEqual({
      config: {
        revision: 5,
        dedup: { windowHours: 48, windowFrom: 'first', reopenMinutes: 5 },
        correlation: { enabled: false, windowMinutes: 9, by: 'service' },
        openWhen: null,
        rules: [],
      },
      note: null,
    });
  });

  it('are waited for when the alert was received under a newer revision', async () => {
    const feed = new StaticConfigurationFeed([aWebhook(3, 24)]);
    const waiting = new WebhookRules(feed).of([anAlert(4)]);
    feed.publish([aWebhook(4, 72)]);
    expect((await waiting)(anAlert(4)).config).toMatchObject({ revision: 4, dedup: { windowHours: 72 } });
  });

  it('are the newest known, with a note, when that revision does not come; it is given up on once', async () => {
    const rules = new WebhookRules(new StaticConfigurationFeed([aWebhook(3, 24)]), 20);
    for (let attempt = 0; attempt < 2; attempt++) {
      const of = await rules.of([anAlert(4), anAlert(3)]);
      expect(of(anAlert(4))).toMatchObject({ config: { revision: 3 }, note: 'config-behind' });
      expect(of(anAlert(3)).note).toBe(null);
    }
  });

  it("are those of the alert's own revision when the webhook has been deleted", async () => {
    const rules = new WebhookRules(new StaticConfigurationFeed([aWebhook(3, 72), aWebhook(4, 72, true)]));
    expect((await rules.of([anAlert(3)]))(anAlert(3)).config).toMatchObject({
      revision: 3,
      dedup: { windowHours: 72 },
    });
  });

  it('are the defaults, with a note, when nothing is known', async () => {
    const rules = new WebhookRules(new StaticConfigurationFeed());
    expect((await rules.of([anAlert(0)]))(anAlert(0))).toMatchObject({
      config: { revision: 0, dedup: { windowHours: 24, reopenMinutes: 30 } },
      note: 'config-missing',
    });
  });
});
