import { waitFor } from '@tocsin/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client, type MadeWebhook, type TriggerAnswer } from './client.ts';
import { Receiver } from './receiver.ts';
import { allInOneSite } from './sites.ts';

interface Why {
  reason: string;
  config_revision: number;
  tried: { step: string; result: string; detail?: string; evidence?: Record<string, unknown> }[];
}
interface Alert {
  id: string;
  outcome: string;
  reason: string;
  occurrence_count: number;
  incident_id: string | null;
  why: Why;
}
interface Revised {
  id: string;
  revision: number;
}

let site: Awaited<ReturnType<typeof allInOneSite>>;
let client: Client;
let workspace: string;

beforeAll(async () => {
  site = await allInOneSite();
  client = new Client(site);
  workspace = (await client.get<{ items: { id: string }[] }>('/api/v1/workspaces')).items[0]?.id ?? '';
});
afterAll(() => site.remove());

const newWebhook = (name: string, correlation: object = { enabled: false }): Promise<MadeWebhook> =>
  client.make('/api/v1/webhooks', { name, connector: 'generic', rate_limit_per_hour: 0, correlation });
const settings = async (change: object): Promise<void> => {
  const { status } = await client.api('PATCH', `/api/v1/workspaces/${workspace}`, { settings: change });
  expect(status).toBe(200);
};
const fire = async (webhook: MadeWebhook, key: string, more: object = {}): Promise<TriggerAnswer> =>
  (await client.bearer(webhook, { title: `${key} is slow`, dedup_key: key, ...more })).body;
const stepOf = ({ why }: Pick<Alert, 'why'>, name: string) => why.tried.find(({ step }) => step === name);
/** A change of the configuration reaches decisions a moment later: asked again, with new keys, until it shows. */
const untilSeen = (what: string, probe: () => Promise<boolean>) => waitFor(probe, { timeoutMs: 30_000, what });

describe('a silence', () => {
  it('suppresses what matches, says why, lets resolves pass and ends at once', async () => {
    const webhook = await newWebhook('Silenced');
    const before = await fire(webhook, 'open');
    expect(before.status).toBe('created');
    const matchers = { field: 'webhook_id', operator: 'equals', value: webhook.id };
    const path = '/api/v1/silences';
    const silence = await client.make<Revised>(path, { comment: 'known', matchers, duration_minutes: 60 });
    let key = 0;
    await untilSeen('the silence', async () => (await fire(webhook, `later ${key++}`)).status === 'suppressed');

    const kept = await fire(webhook, 'kept');
    expect(kept).toMatchObject({ status: 'suppressed', incident_id: null, alerts: [{ reason: 'silenced' }] });
    expect(await fire(webhook, 'kept')).toMatchObject({ status: 'suppressed', alerts: [{ occurrence_count: 2 }] });
    const alert = await client.get<Alert>(`/api/v1/alerts/${kept.alerts[0]?.alert_id ?? ''}`);
    expect(alert).toMatchObject({
      outcome: 'suppressed',
      why: { reason: 'silenced', config_revision: silence.revision },
    });
    expect(stepOf(alert, 'silence')).toMatchObject({
      ...{ result: 'hit', evidence: { id: silence.id, revision: silence.revision, comment: 'known' } },
    });
    const listed = await client.get<{ items: Alert[] }>(`/api/v1/alerts?outcome=suppressed&webhook_id=${webhook.id}`);
    expect(listed.items.map(({ id }) => id)).toContain(alert.id);
    expect(
      (await client.get<{ items: Alert[] }>(`/api/v1/alerts?outcome=recorded&webhook_id=${webhook.id}`)).items,
    ).toEqual([]);

    expect(await fire(webhook, 'open', { status: 'resolved' })).toMatchObject({
      ...{ status: 'resolved', incident_id: before.incident_id },
    });
    const promoted = await client.api<{ id: string }>('POST', `/api/v1/alerts/${alert.id}/promote`);
    expect(promoted.status).toBe(200);

    expect((await client.api('POST', `${path}/${silence.id}/expire`)).status).toBe(200);
    await untilSeen('its end', async () => (await fire(webhook, `after ${key++}`)).status === 'created');
  });
});

describe('a maintenance window', () => {
  it('does the same under its own name', async () => {
    const webhook = await newWebhook('Maintained');
    const matchers = [{ field: 'service', operator: 'equals', value: 'patched' }];
    await client.make('/api/v1/maintenance-windows', { name: 'Patch night', matchers, duration_minutes: 60 });
    let key = 0;
    const patched = () => fire(webhook, `patched ${key++}`, { service: 'patched' });
    await untilSeen('the window', async () => (await patched()).alerts[0]?.reason === 'maintenance');
    expect((await fire(webhook, 'other', { service: 'other' })).status).toBe('created');
  });
});

describe('a key that flaps', () => {
  it('is told once when its hold ends, also where the process is killed in between', async () => {
    const receiver = await Receiver.start();
    await client.make('/api/v1/subscriptions', { name: 'Pager', url: receiver.url, events: ['incident.*'] });
    await settings({ flapping: { toggles: 2, window_minutes: 10, hold_minutes: 1 } });
    const webhook = await newWebhook('Flapping');
    const { incident_id: id } = await fire(webhook, 'flap');
    const told = () => receiver.of(id ?? '').map(({ json }) => json.type);
    await untilSeen('the first notification', async () => told().includes('incident.created'));
    await fire(webhook, 'flap', { status: 'resolved' });
    await untilSeen('the resolve', async () => told().includes('incident.resolved'));
    const before = told().length;

    const reopened = await fire(webhook, 'flap');
    expect(reopened).toMatchObject({ status: 'reopened', incident_id: id });
    const { items } = await client.get<{ items: Alert[] }>(`/api/v1/incidents/${id ?? ''}/alerts`);
    const held = items.map((alert) => stepOf(alert, 'flapping')).find((step) => step?.result === 'hit');
    const holdUntil = Date.parse(String(held?.evidence?.['holdUntil']));
    expect(site.process.kill('SIGKILL')).toBe(true);
    await site.process.exit();
    site.process.start();
    await site.process.ready(site.url);
    expect(await fire(webhook, 'flap', { status: 'resolved' })).toMatchObject({ status: 'resolved', incident_id: id });
    expect(await fire(webhook, 'flap')).toMatchObject({ status: 'reopened', incident_id: id });
    expect((await client.get<{ status: string }>(`/api/v1/incidents/${id ?? ''}`)).status).toBe('open');

    await waitFor(() => told().length > before, { timeoutMs: 120_000, what: 'the notification that was held' });
    const arrived = Date.now();
    expect(arrived).toBeGreaterThanOrEqual(holdUntil);
    expect(told().slice(before)).toEqual(['incident.reopened']);
    await settings({ flapping: { toggles: 4, window_minutes: 10, hold_minutes: 5 } });
    await receiver.close();
  });
});

describe('a storm', () => {
  it('rolls new keys up into one incident, and stops where the threshold is taken away', async () => {
    const webhook = await newWebhook('Storming');
    await settings({ storm: { new_incidents_per_minute: 3 } });
    let key = 0;
    const storm = () =>
      client
        .bearer(
          webhook,
          Array.from({ length: 12 }, () => ({ title: 'Node is down', dedup_key: `node ${key++}` })),
        )
        .then(({ body }) => body.alerts);
    const alerts = await waitFor(
      async () => {
        const answered = await storm();
        return answered.some(({ outcome }) => outcome === 'rolled-up') && answered;
      },
      { timeoutMs: 30_000, what: 'the threshold' },
    );
    const rolled = alerts.filter(({ outcome }) => outcome === 'rolled-up');
    expect(new Set(rolled.map(({ incident_id }) => incident_id)).size).toBe(1);
    const incident = rolled[0]?.incident_id ?? '';
    expect(await client.get(`/api/v1/incidents/${incident}`)).toMatchObject({ title: 'Alert storm', status: 'open' });
    const { items } = await client.get<{ items: Alert[] }>(`/api/v1/incidents/${incident}/alerts`);
    expect(stepOf(items.at(-1) as Alert, 'storm')).toMatchObject({ result: 'hit', evidence: { threshold: 3 } });
    await settings({ storm: { new_incidents_per_minute: 0 } });
    await untilSeen('calm', async () => (await fire(webhook, `calm ${key++}`)).status === 'created');
  });
});

describe('a topology', () => {
  it('knows services by first sight, and joins the incident of a neighbour', async () => {
    const edges = [
      { from: 'shop-front', to: 'payments' },
      { from: 'payments', to: 'ledger' },
    ];
    expect((await client.api('PUT', '/api/v1/topology', { edges })).status).toBe(200);
    const webhook = await newWebhook('Related', { by: 'topology' });
    let key = 0;
    const named = (service: string) => fire(webhook, `${service} ${key++}`, { service });
    const first = await named('ledger');
    const joined = await waitFor(
      async () => {
        const answer = await named('shop-front');
        return answer.incident_id === first.incident_id && answer;
      },
      { timeoutMs: 30_000, what: 'the topology' },
    );
    expect(joined).toMatchObject({ status: 'correlated', alerts: [{ reason: 'time-window' }] });
    const { items } = await client.get<{ items: Alert[] }>(`/api/v1/incidents/${first.incident_id ?? ''}/alerts`);
    expect(items.map((alert) => stepOf(alert, 'time-window')?.evidence)).toContainEqual(
      expect.objectContaining({
        ...{ by: 'topology', distance: 2, path: ['shop-front', 'payments', 'ledger'], matchedValue: 'ledger' },
      }),
    );
    await named('never-declared');
    const services = await waitFor(
      async () => {
        const { items: found } = await client.get<{ items: { name: string; first_seen_at: string | null }[] }>(
          '/api/v1/services?text=never-declared',
        );
        return found.length > 0 && found;
      },
      { timeoutMs: 30_000, what: 'the new service' },
    );
    expect(services).toMatchObject([{ name: 'never-declared', first_seen_at: expect.any(String) as string }]);
  });
});
