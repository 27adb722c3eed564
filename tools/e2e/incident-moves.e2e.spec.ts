import { waitFor, type AppProcess } from '@tocsin/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client, type Answer, type MadeWebhook, type TriggerAnswer } from './client.ts';
import { allInOneSite, splitSite, type Site } from './sites.ts';

interface Incident {
  id: string;
  status: string;
  severity: string;
  number: number;
  merged_into: string | null;
  merged_from: string[];
  webhook_occurrence_count: number;
  correlated_alert_count: number;
}
interface Moved extends Incident {
  related: Incident[];
}

let site: Site;
let client: Client;
let webhook: MadeWebhook;

const forms: [string, () => Promise<Site>][] = [
  ['all-in-one', allInOneSite],
  ['seven processes', splitSite],
];
const inSeconds = (seconds: number): string => new Date(Date.now() + seconds * 1_000).toISOString();
const sent = async (payload: Record<string, unknown>): Promise<TriggerAnswer> => {
  const { status, body } = await client.bearer(webhook, payload);
  if (status !== 200) throw new Error(`${status}: ${JSON.stringify(body)}`);
  return body;
};
const incident = (id: string) => client.get<Incident>(`/api/v1/incidents/${id}`);
const command = <T = Moved>(id: string, name: string, body: unknown): Promise<Answer<T>> =>
  client.api<T>('POST', `/api/v1/incidents/${id}/${name}`, body);
const newWebhook = (fields: Record<string, unknown> = {}) =>
  client.make<MadeWebhook>('/api/v1/webhooks', {
    ...{ name: 'Moves', connector: 'generic', rate_limit_per_hour: 0, ...fields },
  });
/** What Prometheus posts every minute while a rule fires: an end four minutes ahead, here a few seconds. */
const vouchedFor = (to: MadeWebhook, name: string, endsAt: string) =>
  client.bearer(to, [
    {
      ...{ startsAt: new Date(Date.now() - 60_000).toISOString(), endsAt },
      ...{ labels: { alertname: name, service: name, severity: 'critical' }, annotations: {} },
    },
  ] as never);
const resolved = (id: string) =>
  waitFor(async () => (await incident(id)).status === 'resolved', { timeoutMs: 60_000, what: `${id} resolved` });

/** The process that keeps the timers. */
function storeOf(running: Site): { store: AppProcess; health: string } {
  if ('process' in running) return { store: running.process as AppProcess, health: running.at('') };
  const store = (running as Awaited<ReturnType<typeof splitSite>>).split.process('incident-store');
  return { store, health: store.adminUrl };
}

describe.each(forms)('incidents that people and clocks change: %s', (_form, open) => {
  beforeAll(async () => {
    site = await open();
    client = new Client(site);
    webhook = await newWebhook();
  });
  afterAll(async () => {
    await site?.remove();
  });

  it('sends repeats, new alerts and resolves of what was merged away to the survivor', async () => {
    const a = await sent({ title: 'Carts are slow', service: 'cart', dedup_key: 'cart' });
    const b = await sent({ title: 'Database is slow', service: 'db', dedup_key: 'db', severity: 'high' });
    const [gone, stays] = [a.incident_id!, b.incident_id!];
    expect(gone).not.toBe(stays);
    expect(await command(gone, 'merge', { into: stays, note: 'one cause' })).toMatchObject({
      status: 200,
      body: { status: 'resolved', merged_into: stays, related: [{ id: stays, merged_from: [gone] }] },
    });
    expect(await sent({ title: 'Carts are slow', service: 'cart', dedup_key: 'cart' })).toMatchObject({
      ...{ status: 'deduplicated', incident_id: stays },
    });
    expect(await sent({ title: 'Carts fail', service: 'cart', dedup_key: 'cart-2' })).toMatchObject({
      ...{ status: 'correlated', incident_id: stays },
    });
    const end = (key: string) => sent({ title: 'x', dedup_key: key, status: 'resolved' });
    expect(await end('cart')).toMatchObject({ status: 'resolved', incident_id: stays });
    expect(await end('db')).toMatchObject({ status: 'resolved', incident_id: stays });
    expect(await incident(stays)).toMatchObject({ status: 'open' });
    await end('cart-2');
    expect(await incident(stays)).toMatchObject({ status: 'resolved', correlated_alert_count: 2 });
    expect(await command(stays, 'merge', { into: gone })).toMatchObject({ status: 409, body: { code: 'merge-cycle' } });
  });

  it('sends what belongs to moved alerts after them', async () => {
    const first = await sent({ title: 'Search is slow', service: 'search', dedup_key: 'search' });
    const other = await sent({ title: 'Search pays twice', service: 'search', dedup_key: 'pay' });
    const from = first.incident_id!;
    expect(other).toMatchObject({ status: 'correlated', incident_id: from });
    const { body } = await command(from, 'move-alerts', { alert_ids: [other.alerts[0]!.alert_id], title: 'Payments' });
    const to = body.related[0]!.id;
    expect(await sent({ title: 'Search pays twice', service: 'search', dedup_key: 'pay' })).toMatchObject({
      ...{ status: 'deduplicated', incident_id: to },
    });
    expect(await sent({ title: 'x', dedup_key: 'pay', status: 'resolved' })).toMatchObject({ incident_id: to });
    expect(await incident(to)).toMatchObject({ status: 'resolved', webhook_occurrence_count: 2 });
    expect(await incident(from)).toMatchObject({ status: 'open', webhook_occurrence_count: 1 });
  });

  it('lets alerts of its service join an incident that somebody opened by hand', async () => {
    const made = await client.make<Incident>('/api/v1/incidents', {
      title: 'Nobody can print',
      services: ['printing'],
    });
    const joined = await waitFor(
      async () => {
        const key = `print-${Date.now()}`;
        const answer = await sent({ title: 'Queue is full', service: 'printing', dedup_key: key });
        return answer.incident_id === made.id && answer;
      },
      { timeoutMs: 60_000, what: 'the correlator hears of it' },
    );
    expect(joined.status).toBe('correlated');
  });

  it('acknowledges from the source, where the webhook listens to that', async () => {
    const alert = { title: 'Mail is late', service: 'mail', dedup_key: 'mail' };
    const acknowledge = { ...alert, status: 'acknowledged' };
    const { incident_id: id } = await sent(alert);
    expect(await sent(acknowledge)).toMatchObject({ status: 'acknowledged', incident_id: id });
    const deaf = await newWebhook({ dedup: { ack_from_source: false } });
    const heard = await client.bearer(deaf, { ...alert, service: 'letters' });
    expect(await client.bearer(deaf, acknowledge)).toMatchObject({
      body: { status: 'ignored', alerts: [{ reason: 'ack-from-source-off' }] },
    });
    expect(await incident(heard.body.incident_id!)).toMatchObject({ status: 'open' });
  });

  it('has the severity that the policy of the webhook says', async () => {
    const latest = await newWebhook({ dedup: { severity_policy: 'latest' } });
    const alert = { title: 'Heat', service: 'rack', dedup_key: 'heat' };
    const { body } = await client.bearer(latest, { ...alert, severity: 'critical' });
    await client.bearer(latest, { ...alert, severity: 'low' });
    expect(await incident(body.incident_id!)).toMatchObject({ severity: 'low' });
  });

  it('ends what its source does not vouch for any more, also over a killed process', async () => {
    const prometheus = await newWebhook({ connector: 'prometheus' });
    const { body: short } = await vouchedFor(prometheus, 'ShortLived', inSeconds(3));
    const { body: long } = await vouchedFor(prometheus, 'LongLived', inSeconds(3));
    const { body: killed } = await vouchedFor(prometheus, 'Survivor', inSeconds(15));
    await vouchedFor(prometheus, 'LongLived', inSeconds(600));
    await resolved(short.incident_id!);
    const timeline = await client.get<{ items: { type: string; reason: string | null }[] }>(
      `/api/v1/incidents/${short.incident_id!}/timeline`,
    );
    expect(timeline.items).toContainEqual(expect.objectContaining({ type: 'IncidentResolved', reason: 'end-passed' }));
    const { store, health } = storeOf(site);
    store.kill('SIGKILL');
    await store.exit();
    store.start();
    await store.ready(health);
    await resolved(killed.incident_id!);
    expect(await incident(long.incident_id!)).toMatchObject({ status: 'open' });
  });
});
