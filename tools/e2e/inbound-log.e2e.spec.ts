import { waitFor } from '@tocsin/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client, type MadeWebhook } from './client.ts';
import { allInOneSite, splitSite, type Site } from './sites.ts';

interface Delivery {
  id: string;
  receipt_id: string | null;
  status: string;
  response_code: number | null;
  latency_ms: number | null;
  reason: string | null;
  alerts: number | null;
  incident_ids: string[];
  outcomes: string[];
  count: number;
  replay_of: string | null;
  payload: { kept: boolean; content?: string };
}
interface LedgerRow {
  accepted: number;
  outcomes: Record<string, number>;
  in_flight: number;
  ahead: number;
  balanced: boolean;
  rejected: number;
}
interface Receipt {
  status: string;
  incident_id: string | null;
  stages: { stage: string; progress: string; at: string | null }[];
}

let site: Site;
let client: Client;
let webhook: MadeWebhook;
/** The receipt whose status_url was followed. */
let followed: string;

const deliveries = async (query = '') =>
  (await client.get<{ items: Delivery[] }>(`/api/v1/webhooks/${webhook.id}/deliveries${query}`)).items;
const ledger = async () => (await client.get<{ items: LedgerRow[] }>(`/api/v1/ledger?webhook_id=${webhook.id}`)).items;
const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
const outcomesOf = (rows: readonly LedgerRow[], name: string): number =>
  sum(rows.map(({ outcomes }) => outcomes[name] ?? 0));
/** Rows of the ledger once nothing is on its way. */
const atRest = (accepted: number) =>
  waitFor(
    async () => {
      const rows = await ledger();
      const done = sum(rows.map((row) => row.accepted)) === accepted && rows.every((row) => row.in_flight === 0);
      return done && rows;
    },
    { timeoutMs: 60_000, what: `a ledger of ${accepted} at rest` },
  );

const forms: [string, () => Promise<Site>][] = [
  ['all-in-one', allInOneSite],
  ['seven processes', splitSite],
];

describe.each(forms)('what came in: %s', (_form, open) => {
  beforeAll(async () => {
    site = await open();
    client = new Client(site);
    webhook = await client.make<MadeWebhook>('/api/v1/webhooks', {
      name: 'Log',
      connector: 'generic',
      rate_limit_per_hour: 0,
    });
  });
  afterAll(async () => {
    await site?.remove();
  });

  it('is in the delivery log with outcome, answer, incident and payload, and the ledger balances', async () => {
    const alert = { title: 'Disk full', service: 'db', dedup_key: 'disk' };
    const created = await client.bearer(webhook, alert);
    expect(created).toMatchObject({ status: 200, body: { status: 'created' } });
    expect(await client.bearer(webhook, alert)).toMatchObject({ status: 200, body: { status: 'deduplicated' } });
    expect(await client.bearer(webhook, [])).toMatchObject({ status: 200, body: { status: 'ignored' } });
    expect(await client.bearer(webhook, ['text', { ...alert, status: 'resolved' }])).toMatchObject({ status: 200 });
    expect((await client.trigger(webhook, '{}', { authorization: 'Bearer wrong' })).status).toBe(401);
    expect((await client.trigger(webhook, '{}', { authorization: 'Bearer wrong' })).status).toBe(401);

    const rows = await atRest(5);
    expect(rows.every(({ balanced, ahead }) => balanced && ahead === 0)).toBe(true);
    for (const [name, count] of Object.entries({ created: 1, deduplicated: 1, ignored: 1, resolved: 1 }))
      expect(outcomesOf(rows, name), name).toBe(count);
    expect(outcomesOf(rows, 'dead-lettered')).toBe(1);

    const id = created.body.receipt_id;
    const [row] = await waitFor(
      async () => {
        const found = await deliveries('?status=created');
        return found[0]?.response_code !== null && found;
      },
      { timeoutMs: 30_000, what: 'the answer in the log' },
    );
    expect(row).toMatchObject({
      id,
      status: 'created',
      response_code: 200,
      alerts: 1,
      incident_ids: [created.body.incident_id],
    });
    expect(row?.latency_ms).toBeGreaterThan(0);
    expect(await client.get(`/api/v1/webhooks/${webhook.id}/deliveries/${id}`)).toMatchObject({
      payload: { kept: true, encoding: 'text', content: JSON.stringify(alert) },
    });
    expect(await deliveries('?status=dead-lettered')).toMatchObject([{ outcomes: ['dead-lettered', 'resolved'] }]);
    const refused = await waitFor(
      async () => {
        const found = await deliveries('?status=rejected');
        return sum(found.map(({ count }) => count)) === 2 && found;
      },
      { timeoutMs: 30_000, what: 'refused requests' },
    );
    expect(refused[0]).toMatchObject({ receipt_id: null, response_code: 401 });
    expect(sum((await ledger()).map(({ rejected }) => rejected))).toBe(2);
  });

  it('can be followed by its status_url at once', async () => {
    const answer = await client.bearer(
      webhook,
      { title: 'Slow', service: 'api', dedup_key: 'slow' },
      { prefer: 'respond-async' },
    );
    expect(answer).toMatchObject({ status: 202, body: { status: 'accepted' } });
    followed = answer.body.receipt_id;
    const receipt = await client.get<Receipt>((answer.body as unknown as { status_url: string }).status_url);
    expect(receipt.status).toBe('created');
    expect(receipt.stages.map(({ stage, progress }) => `${stage} ${progress}`)).toEqual([
      'received done',
      'normalised done',
      'correlated done',
      'stored done',
    ]);
    const times = receipt.stages.map(({ at }) => Date.parse(at ?? ''));
    expect(times.every((time, index) => index === 0 || time >= (times[index - 1] ?? 0))).toBe(true);
  });

  it('runs again as a new receipt', async () => {
    const first = await waitFor(async () => (await deliveries('?status=created')).find(({ id }) => id === followed), {
      timeoutMs: 30_000,
      what: 'the row of the receipt',
    });
    const made = await client.api<{ receipt_id: string; status_url: string }>(
      'POST',
      `/api/v1/webhooks/${webhook.id}/deliveries/${followed}/replay`,
    );
    expect(made).toMatchObject({ status: 202, body: { status: 'accepted', replay_of: followed } });
    const receipt = await client.get<Receipt>(made.body.status_url);
    expect(receipt).toMatchObject({ status: 'deduplicated', incident_id: first.incident_ids[0] });
    const rows = await atRest(7);
    expect(rows.every(({ balanced }) => balanced)).toBe(true);
    expect(await client.get(`/api/v1/webhooks/${webhook.id}/deliveries/${made.body.receipt_id}`)).toMatchObject({
      status: 'deduplicated',
      replay_of: followed,
    });
  });

  it('is read with the mapping of its webhook, which can be tried before', async () => {
    const mapping = {
      fields: { title: ['$.headline', '$.what'], severity: '$.prio', dedup_key: '$.host', tags: '$.meta.team' },
      severity: { p1: 'critical' },
      custom_fields: [{ name: 'cpu', type: 'number', path: '$.cpu' }],
    };
    const payload = { what: 'CPU is hot', prio: 'P1', host: 'web-7', meta: { team: 'edge' }, cpu: '97.5' };
    const preview = await client.api('POST', '/api/v1/mapping/preview', { connector: 'generic', payload, mapping });
    const mapped = { title: 'CPU is hot', severity: 'critical', dedup_key: 'web-7', tags: ['edge'] };
    expect(preview).toMatchObject({ status: 200, body: { alerts: [mapped] } });
    const made = await client.make<MadeWebhook>('/api/v1/webhooks', { name: 'Mapped', connector: 'generic', mapping });
    const trial = await client.api('POST', `/api/v1/webhooks/${made.id}/test`, payload);
    expect(trial).toMatchObject({ status: 200, body: { ok: true, alerts: [mapped] } });
    const setup = await client.get<{ url: string }>(`/api/v1/webhooks/${made.id}/setup`);
    expect(setup.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/webhook\//);
    const answer = await client.bearer(made, payload);
    expect(answer).toMatchObject({ status: 200, body: { status: 'created' } });
    expect(await client.bearer(made, { ...payload, what: 'Still' })).toMatchObject({
      body: { status: 'deduplicated' },
    });
    expect(await client.get(`/api/v1/incidents/${answer.body.incident_id}`)).toMatchObject({
      ...{ title: 'CPU is hot', severity: 'critical', tags: ['edge'], custom_fields: { cpu: 97.5 } },
    });
    const changed = { mapping: { severity: { p1: 'low' } } };
    const seen = new Set<string>();
    let host = 7;
    expect(await client.api('PATCH', `/api/v1/webhooks/${made.id}`, changed)).toMatchObject({ status: 200 });
    // A gateway hears of the change within a second of the answer; until then a receipt is read with the mapping it came under.
    const severities = await waitFor(
      async () => {
        const later = await client.bearer(made, { ...payload, host: `web-${++host}` });
        const { severity } = await client.get<{ severity: string }>(`/api/v1/incidents/${later.body.incident_id}`);
        seen.add(severity);
        return severity === 'low' && seen;
      },
      { timeoutMs: 10_000, what: 'an alert read with the changed mapping' },
    );
    expect([...severities].filter((severity) => !['critical', 'low'].includes(severity))).toEqual([]);
  });
});
