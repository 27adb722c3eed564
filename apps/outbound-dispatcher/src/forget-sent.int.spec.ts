import type { IncidentEventRecord } from '@tocsin/contracts';
import { waitFor } from '@tocsin/testing';
import { describe, expect, it } from 'vitest';
import { OutboundLogKeeper } from './outbound-log-keeper.ts';
import { aBatch, anIncidentEvent, incidentId } from './spec/events.ts';
import { aSubscription, SUBSCRIPTION, WORKSPACE, type Running } from './spec/harness.ts';
import { commandsOf, finished, installation, logOf } from './spec/installation.ts';

const SECRET = 'Ada Lovelace, +44 20 7946 0000';
const { receiver, dispatcher } = installation();

function told(incident: string, version: number): IncidentEventRecord {
  const record = anIncidentEvent(incident, version);
  return { ...record, incident: { ...record.incident, title: SECRET } };
}
const erasure = (incident: string, version: number): IncidentEventRecord =>
  anIncidentEvent(incident, version, 'PayloadErased', 'incident.updated');

const keeperOf = ({ pools }: Running): OutboundLogKeeper =>
  new OutboundLogKeeper({
    ...{ pool: pools.pipeline, clock: () => new Date(), retentionDays: 30 },
    log: { warn: () => undefined } as never,
  });

/** Everything that is kept of an incident, as text. */
async function keptOf({ pools }: Running, incident: string): Promise<string> {
  const { rows } = await pools.pipeline.query<{ kept: string }>(
    `select coalesce(string_agg(d::text || coalesce(a.attempts, ''), ' '), '')
            || coalesce((select string_agg(n::text, ' ') from outbound_dispatcher.notifications n where n.subject_id = $1), '') as kept
       from outbound_dispatcher.deliveries d
       left join lateral (select string_agg(t::text, ' ') as attempts from outbound_dispatcher.delivery_attempts t where t.delivery_id = d.id) a on true
      where d.incident_id = $1`,
    [incidentId(incident)],
  );
  return rows[0]?.kept ?? '';
}

describe('an erasure of personal data', () => {
  it('takes bodies, headers and answers of what was sent about the incident, and of no other', async () => {
    const { url } = await receiver((request, response) => response.writeHead(200).end(`thank you: ${request.body}`));
    const documents = [aSubscription({ url })];
    const running = dispatcher(documents);
    await running.dispatcher.plan(aBatch(told('one', 1), told('one', 2), told('two', 1)));
    await finished(running, 3);
    await running.pools.pipeline.query(
      `insert into outbound_dispatcher.notifications (workspace_id, id, kind, title, text, subject_id, at)
       values ($1, 'ntf_1', 'incident-opened', $2, $2, $3, '2026-03-01T10:00:00Z')`,
      [WORKSPACE, SECRET, incidentId('one')],
    );
    expect(await keptOf(running, 'one')).toContain(SECRET);

    await running.dispatcher.plan(aBatch(erasure('one', 3)));
    const log = await finished(running, 4);
    expect(await keptOf(running, 'one')).not.toContain(SECRET);
    expect(await keptOf(running, 'two')).toContain(SECRET);
    expect(log.filter(({ erased_at: at }) => at !== null).map(({ sequence }) => sequence)).toEqual([2, 1]);
    expect(log.find(({ sequence, erased_at: at }) => sequence === 1 && at !== null)).toMatchObject({
      ...{ status: 'delivered', attempt_count: 1, request_body: '' },
      attempts: [{ response_status: 200, response_body: null, response_headers: null, request_headers: {} }],
    });
    expect(log.find(({ sequence }) => sequence === 3)?.request_body).toContain('Disk full');

    const { commands } = commandsOf(running, documents);
    const erased = log.find(({ erased_at: at }) => at !== null)!;
    await expect(commands.redeliverOne(WORKSPACE, SUBSCRIPTION, erased.id)).rejects.toMatchObject({ code: 'conflict' });
    expect(
      await commands.redeliverMany(WORKSPACE, SUBSCRIPTION, { incidentId: incidentId('one'), limit: 10 }),
    ).toMatchObject({ redelivered: 1 });
  });

  it('lets go out what was promised before, and empties it afterwards', async () => {
    let failing = true;
    const { url, received } = await receiver((_request, response) => response.writeHead(failing ? 500 : 200).end());
    const running = dispatcher([aSubscription({ url, retrySchedule: [0, 0.3, 0.3, 0.3, 0.3, 0.3] })]);
    await running.dispatcher.plan(aBatch(told('one', 1)));
    await waitFor(async () => (await logOf(running))[0]?.status === 'retrying');
    await running.dispatcher.plan(aBatch(erasure('one', 2)));
    const keeper = keeperOf(running);
    await keeper.forget();
    expect(await keptOf(running, 'one')).toContain(SECRET);
    failing = false;
    await finished(running, 2);
    expect(received.at(-2)?.body).toContain(SECRET);
    await keeper.forget();
    expect(await keptOf(running, 'one')).not.toContain(SECRET);
    const { rows } = await running.pools.pipeline.query('select from outbound_dispatcher.erasures');
    expect(rows).toEqual([]);
  });

  it('takes what was said beside the incident, as long as something may be under way', async () => {
    const { url } = await receiver();
    const running = dispatcher([aSubscription({ url })]);
    const send = (event: string, incident: string) =>
      running.pools.pipeline.query(
        `insert into outbound_dispatcher.deliveries (id, workspace_id, subscription_id, subscription_name, config_revision, event_id, event_type, body,
           status, due_at, head, finished_at)
         values ('dlv_' || $1, $2, $3, 'receiver', 1, $1, 'recommendation.created', $4, 'delivered', now(), false, now())`,
        [event, WORKSPACE, SUBSCRIPTION, JSON.stringify({ incident_id: incidentId(incident), title: SECRET })],
      );
    await send('first', 'one');
    await send('other', 'two');
    const record = erasure('one', 2);
    await running.dispatcher.plan(
      aBatch({ ...record, event: { ...record.event, at: new Date(Date.now() - 60_000).toISOString() } }),
    );
    const keeper = keeperOf(running);
    await keeper.forget();
    await send('late', 'one');
    await keeper.forget();
    const bodies = Object.fromEntries((await logOf(running)).map(({ event_id: id, request_body: body }) => [id, body]));
    expect(bodies).toMatchObject({ first: '', late: '', other: expect.stringContaining(SECRET) });
  });

  it('leaves out of a feed what its reader had acknowledged', async () => {
    const documents = [aSubscription({ url: '', delivery: 'pull' })];
    const running = dispatcher(documents);
    const { feeds } = commandsOf(running, documents);
    const read = async () => {
      const { items } = await feeds.read(WORKSPACE, SUBSCRIPTION, { after: undefined, limit: 10, wait: 5 });
      return items;
    };
    await running.dispatcher.plan(aBatch(told('one', 1)));
    const [first] = await waitFor(async () => {
      const items = await read();
      return items.length === 1 && items;
    });
    await feeds.acknowledge(WORKSPACE, SUBSCRIPTION, first!.cursor);
    await running.dispatcher.plan(aBatch(told('one', 2)));
    await running.dispatcher.plan(aBatch(erasure('one', 3)));
    const from = (after: string) => feeds.read(WORKSPACE, SUBSCRIPTION, { after, limit: 10, wait: 0 });
    const start = Buffer.from('f0.0').toString('base64url');
    const { items } = await waitFor(async () => {
      const answer = await from(start);
      return answer.items.length === 2 && answer;
    });
    expect(items.map(({ sequence }) => sequence)).toEqual([2, 3]);
    expect(JSON.stringify(items[0]!.payload)).toContain(SECRET);
  });
});
