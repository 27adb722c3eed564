import { decodeRecord, encodeFacts, type ReceiptFacts, type WebhookDocument } from '@tocsin/contracts';
import type { AppendRecord } from '@tocsin/event-log';
import type { Batch, Input } from '@tocsin/postgres';
import { describe, expect, it } from 'vitest';
import { normalizeBatch } from './normalize-batch.ts';

const build = (word: string, more: Record<string, unknown> = {}) => ({
  repository: { owner_name: 'acme', name: 'cart' },
  build_url: 'https://ci.example/builds/7',
  number: '7',
  status_message: word,
  branch: 'main',
  commit: '6c457d36',
  author_name: 'Ada\nExample',
  started_at: '2026-11-21T08:30:00Z',
  finished_at: '2026-11-21T08:45:00Z',
  ...more,
});

const facts: ReceiptFacts = {
  receiptId: 'rcv_1',
  workspaceId: 'ws_a',
  webhookId: 'whk_a',
  connector: 'travis',
  configRevision: 1,
  receivedAt: '2026-11-21T09:00:00.000Z',
  method: 'POST',
  query: '',
  contentType: 'application/x-www-form-urlencoded',
  headers: {},
  waiting: true,
};

const input = (body: unknown): Input => ({
  offset: 4n,
  key: 'whk_a',
  type: 'webhook.received.v1',
  value: Buffer.from(new URLSearchParams({ payload: JSON.stringify(body) }).toString()),
  headers: { type: 'webhook.received.v1', facts: encodeFacts('webhook.received.v1', facts) },
  timestamp: Date.UTC(2026, 10, 21, 9, 0, 1),
});

async function outputs(body: unknown, alertOnFailure?: boolean) {
  const settings = alertOnFailure === undefined ? {} : { changes: { alertOnFailure } };
  const document = {
    revision: 1,
    id: 'whk_a',
    body: { defaultSeverity: 'medium', severityProfile: 'tocsin', ...settings },
  };
  const appended: AppendRecord[] = [];
  const stage = normalizeBatch({
    log: { append: (records) => Promise.resolve(void appended.push(...records)) },
    webhooks: {
      loaded: () => true,
      webhook: () => undefined,
      webhookAt: () => Promise.resolve(document as WebhookDocument),
      atLeast: () => Promise.resolve(true),
    },
    onFailure: (error) => expect.unreachable(String(error)),
  });
  const batch: Batch = {
    source: { group: 'normalizer', topic: 'webhook.received', partition: 3 },
    logId: 'log-1',
    inputs: [input(body)],
    heartbeat: () => Promise.resolve(),
  };
  await stage(batch);
  const of = (topic: string) => appended.filter((record) => record.topic === topic);
  return {
    changes: of('change.events'),
    alerts: of('correlation.inputs').flatMap(({ value }) => decodeRecord('alerts.normalized.v1', value).alerts),
    replies: of('webhook.replies').map(({ value }) => decodeRecord('receipt.replied.v1', value)),
  };
}

describe('a build that a source tells of', () => {
  it('is said on change.events as a CloudEvent, and a failed one is an alert too', async () => {
    const { changes, alerts } = await outputs(build('Broken'));
    expect(alerts.map(({ status, title }) => ({ status, title }))).toEqual([
      { status: 'triggered', title: 'acme/cart' },
    ]);
    const [change] = changes;
    const value = decodeRecord('change.event.v1', change?.value ?? new Uint8Array());
    expect(value).toMatchObject({
      workspace_id: 'ws_a',
      kind: 'build',
      service: 'acme/cart',
      version: '6c457d36',
      environment: 'main',
      status: 'Broken',
      url: 'https://ci.example/builds/7',
      actor: 'Ada Example',
      started: '2026-11-21T08:30:00.000Z',
      finished: '2026-11-21T08:45:00.000Z',
      recorded_at: facts.receivedAt,
    });
    expect(change?.key).toBe('ws_a');
    expect(change?.headers).toMatchObject({
      type: 'change.event.v1',
      ce_id: value.id,
      ce_type: 'tocsin.change.build.v1',
      ce_subject: 'acme/cart',
      ce_tocsinworkspace: 'ws_a',
      mark: expect.stringMatching(/^log-1\/webhook\.received\/3;4;\d$/) as string,
    });
  });

  it('has the same id when its record is read again', async () => {
    const ids = await Promise.all([outputs(build('Fixed')), outputs(build('Fixed'))]);
    const [first, second] = ids.map(({ changes }) => changes[0]?.headers['ce_id']);
    expect(first).toMatch(/^chg_/);
    expect(second).toBe(first);
  });

  it('resolves what an earlier failure raised when it succeeds', async () => {
    const { changes, alerts } = await outputs(build('Fixed'));
    expect(changes).toHaveLength(1);
    expect(alerts.map(({ status }) => status)).toEqual(['resolved']);
  });

  it('is only a change where the webhook wants no alerts of changes', async () => {
    const { changes, alerts, replies } = await outputs(build('Broken'), false);
    expect(changes).toHaveLength(1);
    expect(alerts).toEqual([]);
    expect(replies).toMatchObject([{ total: 0, outcome: 'ignored', reason: 'change-recorded' }]);
  });

  it('is nothing yet while it runs', async () => {
    const { changes, alerts, replies } = await outputs(build('Pending', { finished_at: null }));
    expect([...changes, ...alerts]).toEqual([]);
    expect(replies).toMatchObject([{ outcome: 'ignored', reason: 'not-an-alert-state' }]);
  });
});
