import { createHmac } from 'node:crypto';
import { waitFor } from '@tocsin/testing';
import { Webhook as StandardWebhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client, type MadeWebhook } from './client.ts';
import { alertmanager, pagerDutyEvent } from './payloads.ts';
import { readTopic } from './read-topic.ts';
import { Receiver } from './receiver.ts';
import { allInOneSite, splitSite, type Site } from './sites.ts';

interface Incident {
  id: string;
  status: string;
  severity: string;
  webhook_occurrence_count: number;
  correlated_alert_count: number;
  resolved_at: string | null;
  version: number;
}
interface PublishedEvent {
  event: { id: string; stream: string; version: number; type: string; prev_hash: string; hash: string };
  incident: Incident;
  sequence: number;
  outbound_name: string | null;
}

const forms: [string, () => Promise<Site>][] = [
  ['all-in-one on the embedded default', allInOneSite],
  ['seven processes on Kafka and Postgres', splitSite],
];
/** Minutes before now, as vendors write instants. */
const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();

describe.each(forms)('the whole path: %s', (_form, open) => {
  let site: Site;
  let client: Client;
  let receiver: Receiver;
  let generic: MadeWebhook;
  let prometheus: MadeWebhook;
  let pagerDuty: MadeWebhook;
  let outboundSecret: string;
  const incidents = new Map<string, string>();

  const incident = (id: string | null) => client.get<Incident>(`/api/v1/incidents/${id}`);
  const settled = async (id: string | null, status: string) =>
    waitFor(async () => ((await incident(id)).status === status ? incident(id) : undefined), {
      timeoutMs: 60_000,
      what: `${id} ${status}`,
    });

  beforeAll(async () => {
    site = await open();
    client = new Client(site);
    receiver = await Receiver.start();
    const webhook = (name: string, connector: string) =>
      client.make<MadeWebhook>('/api/v1/webhooks', { name, connector, rate_limit_per_hour: 0 });
    generic = await webhook('Generic', 'generic');
    prometheus = await webhook('Prometheus', 'prometheus');
    pagerDuty = await webhook('PagerDuty', 'pagerduty');
    const made = await client.make<{ secret: string }>('/api/v1/subscriptions', {
      name: 'Receiver',
      url: receiver.url,
      events: ['incident.*'],
      secret: 'generate',
    });
    outboundSecret = made.secret;
  });
  afterAll(async () => {
    await receiver?.close();
    await site?.remove();
  });

  it('opens, deduplicates and resolves an incident, each answered to the waiting sender', async () => {
    const alert = { title: 'Checkout is slow', severity: 'high', service: 'checkout', dedup_key: 'checkout-latency' };
    const first = await client.bearer(generic, alert);
    expect(first).toMatchObject({
      status: 200,
      body: { status: 'created', alerts: [{ outcome: 'created', occurrence_count: 1 }] },
    });
    const id = first.body.incident_id as string;
    incidents.set('generic', id);
    expect(await incident(id)).toMatchObject({ status: 'open', severity: 'high', webhook_occurrence_count: 1 });

    const second = await client.bearer(generic, alert);
    expect(second).toMatchObject({
      status: 200,
      body: { status: 'deduplicated', incident_id: id, alerts: [{ outcome: 'deduplicated', occurrence_count: 2 }] },
    });
    expect(await incident(id)).toMatchObject({ webhook_occurrence_count: 2 });

    const end = await client.bearer(generic, { ...alert, status: 'resolved' });
    expect(end).toMatchObject({ status: 200, body: { status: 'resolved', incident_id: id } });
    expect((await incident(id)).status).toBe('resolved');
  });

  it('answers a repeated receipt with its first outcome', async () => {
    const alert = { title: 'Sent twice by a careful sender', dedup_key: 'careful' };
    const headers = { 'idempotency-key': 'one-and-the-same' };
    const first = await client.bearer(generic, alert, headers);
    const again = await client.bearer(generic, alert, headers);
    expect(first.body).toMatchObject({ status: 'created' });
    expect(again.body).toEqual(first.body);
    expect(await incident(first.body.incident_id)).toMatchObject({ webhook_occurrence_count: 1 });
    const receipt = await client.get(`/api/v1/receipts/${first.body.receipt_id}`);
    expect(JSON.stringify(receipt)).toContain(first.body.incident_id);
  });

  it('attaches a related alert of the same service, and says why', async () => {
    const first = await client.bearer(generic, {
      title: 'Payments: queue grows',
      service: 'payments',
      dedup_key: 'p-1',
    });
    const second = await client.bearer(generic, { title: 'Payments: errors', service: 'payments', dedup_key: 'p-2' });
    expect(second.body).toMatchObject({
      status: 'correlated',
      incident_id: first.body.incident_id,
      alerts: [{ reason: 'time-window' }],
    });
    const alerts = await client.get(`/api/v1/incidents/${first.body.incident_id}/alerts`);
    expect(JSON.stringify(alerts)).toContain('time-window');
    expect(await incident(first.body.incident_id)).toMatchObject({ correlated_alert_count: 1 });
  });

  it('loses none of 64 alerts in one request', async () => {
    const batch = Array.from({ length: 64 }, (_, index) => ({
      name: `Batch${index}`,
      service: `batch-${index}`,
      startsAt: ago(2),
    }));
    const answer = await client.bearer(prometheus, alertmanager(batch));
    expect(answer.status).toBe(200);
    expect(answer.body.alerts).toHaveLength(64);
    expect(answer.body.alerts.map(({ outcome }) => outcome)).toEqual(Array(64).fill('created'));
    expect(new Set(answer.body.alerts.map(({ incident_id }) => incident_id)).size).toBe(64);
    const ends = await client.bearer(prometheus, alertmanager(batch.map((alert) => ({ ...alert, endsAt: ago(1) }))));
    expect(ends.body.alerts.map(({ outcome }) => outcome)).toEqual(Array(64).fill('resolved'));
  });

  it('orders by event time: a resolve before its trigger leaves nothing open', async () => {
    const alert = { name: 'Late', service: 'late-service', startsAt: ago(10) };
    const resolve = await client.bearer(prometheus, alertmanager([{ ...alert, endsAt: ago(5) }]));
    expect(resolve.body).toMatchObject({
      status: 'ignored',
      alerts: [{ outcome: 'ignored', reason: 'no-open-alert' }],
    });
    const trigger = await client.bearer(prometheus, alertmanager([alert]));
    expect(trigger.body).toMatchObject({ status: 'ignored', alerts: [{ outcome: 'ignored', reason: 'stale' }] });
  });

  it('follows a PagerDuty incident through its life, signatures checked', async () => {
    const opened = await client.pagerDuty(
      pagerDuty,
      pagerDutyEvent('incident.triggered', { id: 'PINC1', status: 'triggered' }, ago(3)),
    );
    expect(opened).toMatchObject({ status: 200, body: { status: 'created' } });
    const acknowledged = await client.pagerDuty(
      pagerDuty,
      pagerDutyEvent('incident.acknowledged', { id: 'PINC1', status: 'acknowledged' }, ago(2)),
    );
    expect(acknowledged.body).toMatchObject({ status: 'acknowledged', incident_id: opened.body.incident_id });
    expect((await incident(opened.body.incident_id)).status).toBe('acknowledged');
    const resolved = await client.pagerDuty(
      pagerDuty,
      pagerDutyEvent('incident.resolved', { id: 'PINC1', status: 'resolved' }, ago(1)),
    );
    expect(resolved.body).toMatchObject({ status: 'resolved', incident_id: opened.body.incident_id });
  });

  it('obeys people: acknowledge, comment and resolve, and refuses what does not fit the state', async () => {
    const { body } = await client.bearer(generic, { title: 'Needs a person', dedup_key: 'person' });
    const path = `/api/v1/incidents/${body.incident_id}`;
    expect((await client.api('POST', `${path}/acknowledge`, {})).status).toBe(200);
    expect((await client.api('POST', `${path}/comments`, { text: 'Looking at it' })).status).toBeLessThan(300);
    expect((await client.api('POST', `${path}/resolve`, {})).status).toBe(200);
    expect(await client.api('POST', `${path}/acknowledge`, {})).toMatchObject({
      status: 409,
      body: { code: 'wrong-state' },
    });
    const timeline = JSON.stringify(await client.get(`${path}/timeline`));
    expect(timeline).toContain('Looking at it');
    // The same key afterwards: the incident was closed by a person a moment ago, so the alert reopens it (reopen window).
    const again = await client.bearer(generic, { title: 'Needs a person', dedup_key: 'person' });
    expect(again.body).toMatchObject({ status: 'reopened', incident_id: body.incident_id });
  });

  it('starts an investigation that names the recent change', async () => {
    await client.make('/api/v1/changes', {
      service: 'search',
      kind: 'deployment',
      version: '4.2.0',
      title: 'search 4.2.0',
    });
    const { body } = await client.bearer(generic, {
      title: 'Search is down',
      severity: 'critical',
      service: 'search',
      dedup_key: 'search-down',
    });
    const found = await waitFor(
      async () => {
        const rca = JSON.stringify(await client.get(`/api/v1/incidents/${body.incident_id}/rca`));
        return rca.includes('4.2.0') && rca;
      },
      { timeoutMs: 60_000, what: 'an investigation that names the change' },
    );
    expect(found).toContain('hypotheses');
    await waitFor(
      async () => JSON.stringify(await client.get(`/api/v1/incidents/${body.incident_id}/timeline`)).includes('4.2.0'),
      {
        timeoutMs: 60_000,
        what: 'the result on the timeline',
      },
    );
  });

  it('refuses garbage, wrong credentials and unknown webhooks, each with its code', async () => {
    const credential = { authorization: `Bearer ${generic.secret}` };
    expect(await client.trigger(generic, '{"title": ', credential)).toMatchObject({
      status: 400,
      body: { code: 'malformed-body' },
    });
    expect(await client.trigger(generic, Buffer.from([0xff, 0xfe, 0x00]), credential)).toMatchObject({ status: 400 });
    expect(await client.trigger({ token: 'a'.repeat(32) }, '{}')).toMatchObject({
      status: 404,
      body: { code: 'unknown-webhook' },
    });
    const wrong = await client.trigger(generic, '{}', { authorization: 'Bearer wrong' });
    const missing = await client.trigger(generic, '{}');
    const forged = await client.pagerDuty(
      pagerDuty,
      pagerDutyEvent('incident.triggered', { id: 'X', status: 'triggered' }, ago(1)),
      'another key',
    );
    expect([wrong.status, missing.status, forged.status]).toEqual([401, 401, 401]);
    expect(missing.body).toEqual(wrong.body);
    expect(forged.body).toEqual(wrong.body);
    const unread = await client.bearer(prometheus, { hello: 'world' });
    expect(unread).toMatchObject({ status: 422, body: { code: 'unrecognised-payload' } });
  });

  it('delivered every incident of the generic webhook in order, with signatures that hold', async () => {
    const id = incidents.get('generic') as string;
    const requests = await waitFor(
      () => (receiver.of(id).some(({ json }) => json.type === 'incident.resolved') ? receiver.of(id) : undefined),
      {
        timeoutMs: 60_000,
        what: 'incident.resolved at the receiver',
      },
    );
    const types = requests.map(({ json }) => json.type);
    expect(types[0]).toBe('incident.created');
    expect(types.at(-1)).toBe('incident.resolved');
    for (const { headers, body, json } of requests) {
      const hmac = `sha256=${createHmac('sha256', outboundSecret).update(body).digest('hex')}`;
      expect(headers['x-cloudthinker-signature']).toBe(hmac);
      expect(headers['x-webhook-signature']).toBe(hmac);
      expect(headers['x-webhook-event']).toBe(json.type);
      expect(headers['webhook-id']).toBe(json.id);
      expect(JSON.stringify(JSON.parse(body.toString()))).toBe(body.toString());
      new StandardWebhook(outboundSecret).verify(body.toString(), headers as Record<string, string>);
    }
    expect(requests[0]?.json).toMatchObject({ data: { id, status: 'open', webhook_occurrence_count: 1 } });
  });

  it('published every stored event once, in order, with an unbroken hash chain', async () => {
    const id = incidents.get('generic') as string;
    await settled(id, 'resolved');
    const log = await site.stopAndOpenLog();
    try {
      const records = await readTopic(log, 'incident.events');
      const streams = new Map<string, PublishedEvent[]>();
      for (const { value, headers, key } of records) {
        const published = JSON.parse(value.toString()) as PublishedEvent;
        expect(headers).toMatchObject({ ce_id: published.event.id, ce_specversion: '1.0', ce_subject: key });
        expect(headers.ce_type).toMatch(
          /^tocsin\.incident\.(created|updated|acknowledged|resolved|reopened|comment|noted)\.v1$/,
        );
        const stream = streams.get(key) ?? [];
        if (!stream.some(({ event }) => event.version === published.event.version)) stream.push(published);
        streams.set(key, stream);
      }
      expect(streams.size).toBeGreaterThan(64);
      for (const stream of streams.values()) {
        expect(stream.map(({ sequence }) => sequence)).toEqual(stream.map((_, index) => index + 1));
        stream.forEach(({ event }, index) =>
          expect(event.prev_hash).toBe(stream[index - 1]?.event.hash ?? '0'.repeat(64)),
        );
      }
      const own = streams.get(id) ?? [];
      expect(own.map(({ outbound_name }) => outbound_name)).toEqual(
        expect.arrayContaining(['incident.created', 'incident.resolved']),
      );
      expect(own.at(-1)?.incident.webhook_occurrence_count).toBe(2);
    } finally {
      await log.close();
    }
  });
});
