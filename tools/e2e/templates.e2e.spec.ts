import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { waitFor } from '@tocsin/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Client, type MadeWebhook } from './client.ts';
import { allInOneSite } from './sites.ts';

// Vendors' requests as a user sets them up: by REST, with a secret that nobody sees again, for alerts that come in.

const CANARY = 'R0canary0123456789ABCDEFGHIJKLMN';
const SLACK_PATH = '/services/T01/B01/canaryOfTheSlackAddress';
interface Got {
  path: string;
  headers: IncomingHttpHeaders;
  body: Record<string, unknown>;
}

let site: Awaited<ReturnType<typeof allInOneSite>>;
let client: Client;
const got: Got[] = [];
const vendor = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks).toString('utf8');
    got.push({ path: request.url ?? '', headers: request.headers, body: JSON.parse(body) as Got['body'] });
    // It echoes what it got, with the credential.
    response.writeHead(202, { 'content-type': 'application/json' }).end(JSON.stringify({ path: request.url, body }));
  });
});

beforeAll(async () => {
  await new Promise<void>((resolve) => vendor.listen(0, '127.0.0.1', resolve));
  site = await allInOneSite();
  client = new Client(site);
});
afterAll(async () => {
  vendor.closeAllConnections();
  await new Promise((resolve) => vendor.close(resolve));
  await site?.remove();
});

const at = (path: string): string => `http://127.0.0.1:${(vendor.address() as AddressInfo).port}${path}`;
const webhook = (connector: string, fields: object = {}) =>
  client.make<MadeWebhook>('/api/v1/webhooks', { name: connector, connector, ...fields });

it('an alert triggers and resolves in PagerDuty and is told in Slack, and no secret is seen anywhere', async () => {
  const pagerduty = await client.make<{ id: string; url: string }>('/api/v1/subscriptions', {
    name: 'On call',
    template: { name: 'pagerduty', parameters: { routing_key: CANARY, url: at('/v2/enqueue') } },
  });
  const slack = await client.make<{ id: string; url: string }>('/api/v1/subscriptions', {
    name: 'Channel',
    url: at(SLACK_PATH),
    template: 'slack',
  });
  expect(slack.url).toBe(at('/***'));

  const source = await webhook('generic');
  const alert = {
    title: 'Checkout <!channel> is slow',
    severity: 'critical',
    service: 'checkout',
    dedup_key: 'checkout',
  };
  const { body } = await client.bearer(source, alert);
  await client.bearer(source, { ...alert, status: 'resolved' });
  const events = await waitFor(
    () => {
      const own = got.filter(({ path }) => path === '/v2/enqueue');
      return own.length === 2 && got.filter(({ path }) => path === SLACK_PATH).length === 2 && own;
    },
    { timeoutMs: 60_000, what: 'two requests to each vendor' },
  );
  expect(events.map((one) => one.body)).toMatchObject([
    {
      ...{ routing_key: CANARY, event_action: 'trigger', dedup_key: body.incident_id },
      payload: { summary: alert.title, severity: 'critical', component: 'checkout' },
    },
    { routing_key: CANARY, event_action: 'resolve', dedup_key: body.incident_id },
  ]);
  expect(got.find(({ path }) => path === SLACK_PATH)?.body['text']).toContain('Checkout &lt;!channel&gt; is slow');

  const seen = await Promise.all(
    [pagerduty, slack].map(async ({ id }) => {
      const log = `/api/v1/subscriptions/${id}/deliveries`;
      const shown = await waitFor(async () => {
        const text = JSON.stringify(await client.get(log));
        return (text.match(/"status":"delivered"/g) ?? []).length === 2 && text;
      });
      return shown + JSON.stringify(await client.get(`/api/v1/subscriptions/${id}`));
    }),
  );
  expect(seen.join('\n')).toContain('"response_status":202');
  expect(seen.join('\n')).not.toContain(CANARY);
  expect(seen.join('\n')).not.toContain('canaryOfTheSlackAddress');
});

it('an incident that PagerDuty opened is not sent back to it, unless that is allowed', async () => {
  const seen = got.length;
  const parameters = { routing_key: CANARY, url: at('/back') };
  const template = { name: 'pagerduty', parameters };
  const guarded = await client.make<{ id: string }>('/api/v1/subscriptions', { name: 'Guarded', template });
  await client.make('/api/v1/subscriptions', {
    ...{ name: 'Allowed', allow_own_origin: true },
    template: { name: 'pagerduty', parameters: { ...parameters, url: at('/allowed') } },
  });
  const source = await webhook('pagerduty', { auth: { method: 'none' } });
  const path = `/v2/enqueue`;
  const answer = await fetch(`${site.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      ...{ routing_key: source.token, event_action: 'trigger', dedup_key: 'loop' },
      payload: { summary: 'Opened by PagerDuty', source: 'pd', severity: 'critical' },
    }),
  });
  expect(answer.status).toBe(202);
  await waitFor(() => got.some((one) => one.path === '/allowed'), { timeoutMs: 60_000, what: 'the allowed one' });
  expect(got.slice(seen).map((one) => one.path)).not.toContain('/back');
  const log = await client.get<{ items: unknown[] }>(`/api/v1/subscriptions/${guarded.id}/deliveries`);
  expect(log.items).toEqual([]);
});
