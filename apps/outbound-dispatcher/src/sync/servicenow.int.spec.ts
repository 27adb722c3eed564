import { waitFor } from '@tocsin/testing';
import type { SyncAuth, SyncLinkBody } from '@tocsin/contracts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { incidentId } from '../spec/events.ts';
import { WORKSPACE } from '../spec/harness.ts';
import { listEntries } from './entry-list.ts';
import { ServiceNowServer } from './spec/servicenow-server.ts';
import {
  acknowledged,
  aLink,
  anEvent,
  commented,
  LINK,
  opened,
  resolved,
  startSync,
  syncDatabase,
  type RunningSync,
} from './spec/sync-harness.ts';

const SOON = { timeoutMs: 20_000 };
const ends: (() => Promise<unknown>)[] = [];
let database: Awaited<ReturnType<typeof syncDatabase>>;
let now: ServiceNowServer;
beforeEach(async () => {
  database = await syncDatabase();
  now = await new ServiceNowServer().start();
  ends.push(
    () => database.drop(),
    () => now.stop(),
  );
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const basic = (): SyncAuth => ({
  ...{ method: 'basic', username: 'tocsin.bot', tokenUrl: null, clientId: null, scope: null },
  secret: `${LINK}|${now.password}`,
});
const linkOf = (body: Partial<SyncLinkBody> = {}, revision = 2) =>
  aLink('servicenow', now.url, { project: null, workNotes: true, auth: basic(), ...body }, revision);
const start = (body: Partial<SyncLinkBody> = {}): RunningSync => {
  const running = startSync(database.url, linkOf(body));
  ends.push(running.stop);
  return running;
};
const entriesOf = ({ pools }: RunningSync) =>
  listEntries(pools.rest, { workspaceId: WORKSPACE, linkId: LINK, limit: 50 });
const linked = async (running: RunningSync) => {
  await running.hear(opened('a'));
  await waitFor(async () => (await entriesOf(running)).items[0]?.state === 'linked', SOON);
  return now.incidents.find((row) => row['correlation_id'] === incidentId('a'))!;
};
const idle = (running: RunningSync) =>
  waitFor(async () => (await entriesOf(running)).items.every(({ waiting }) => waiting === 0), SOON);
const said = (running: RunningSync) =>
  running
    .commands()
    .filter(({ command }) => command.kind !== 'note')
    .map(({ command }) => command);
const firstLines = () => now.journal.map(({ element, value }) => [element, value?.split('\n')[0]]);

describe('out to ServiceNow', () => {
  it('makes one record with its mark; comments, work notes, fields and states follow in order', async () => {
    const running = start();
    await running.hear(
      opened('a', { severity: 'critical' }),
      commented('a', 2, 'Looking at it'),
      acknowledged('a', 3),
      anEvent('a', 4, {
        type: 'IncidentEdited',
        data: { fields: { title: 'Log disk full' }, before: {}, alert_id: null },
        changed: ['title'],
        incident: { title: 'Log disk full' },
      }),
      resolved('a', 5),
    );
    const record = await waitFor(() => now.incidents[0], SOON);
    await waitFor(() => record['state'] === '6', SOON);
    await idle(running);
    expect(record).toMatchObject({
      ...{ short_description: 'Log disk full', impact: '1', urgency: '1', correlation_id: incidentId('a') },
      ...{ correlation_display: 'Tocsin', close_code: 'Solution provided' },
    });
    expect(firstLines()).toEqual([
      ['comments', 'Looking at it'],
      ['work_notes', 'Acknowledged by Jo Responder: “on it”.'],
      ['work_notes', 'Resolved by Jo Responder.'],
    ]);
    expect((await entriesOf(running)).items).toMatchObject([{ external_key: 'INC0000001', state: 'linked' }]);
    expect(said(running)).toEqual([]);
    expect(now.incidents).toHaveLength(1);
  });

  it.each([
    ['record', 'POST', () => now.incidents.length],
    ['work note', 'PATCH', () => now.journal.length],
  ])('makes a %s once where the answer is lost', async (_what, method, count) => {
    const running = start();
    if (method === 'PATCH') await linked(running);
    let lost = 0;
    now.trouble = (request) => (request.method === method && lost++ < 2 ? { lose: true } : undefined);
    await running.hear(...(method === 'PATCH' ? [commented('a', 2, 'x')] : [opened('a')]));
    await waitFor(() => lost > 0 && count() > 0, SOON);
    await waitFor(async () => (await entriesOf(running)).items[0]?.state === 'linked', SOON);
    await idle(running);
    expect(count()).toBe(1);
  });

  it('signs in with client credentials, and again where the token is revoked', async () => {
    const auth: SyncAuth = {
      ...basic(),
      method: 'oauth2',
      username: null,
      tokenUrl: `${now.url}/oauth_token.do`,
      clientId: 'tocsin',
    };
    const running = start({ auth });
    await linked(running);
    now.tokens.clear();
    await running.hear(commented('a', 2, 'after'));
    await waitFor(() => now.journal.length === 1, SOON);
    expect((await entriesOf(running)).system.last_error).toBeNull();
  });

  it('waits while it is limited or down, and says which', async () => {
    const running = start();
    await linked(running);
    let limited = 0;
    now.trouble = ({ method }) =>
      method === 'PATCH' && limited++ < 2 ? { status: 429, headers: { 'retry-after': '1' } } : undefined;
    await running.hear(commented('a', 2, 'first'));
    await waitFor(async () => (await entriesOf(running)).system.last_error?.includes('429'), SOON);
    await now.stop();
    await running.hear(commented('a', 3, 'second'));
    await waitFor(async () => (await entriesOf(running)).system.last_error?.includes('ECONNREFUSED'), SOON);
    await now.start();
    await waitFor(() => now.journal.length === 2, SOON);
    expect(firstLines().map(([, text]) => text)).toEqual(['first', 'second']);
  });
});

describe('a data policy', () => {
  it('that refuses one write does not keep up the others, and the timeline says what was not done', async () => {
    const running = start({ statusFields: {} });
    await linked(running);
    await running.hear(resolved('a', 2), commented('a', 3, 'after'));
    await waitFor(() => now.journal.some(({ value }) => value?.startsWith('after')), SOON);
    const failed = running.commands().at(-1)?.command;
    expect(failed).toMatchObject({ type: 'sync.failed', detail: expect.stringContaining('Close code is mandatory') });
  });
});

describe('in from ServiceNow', () => {
  it('takes over comments, work notes, states and fields of people, once each', async () => {
    const running = start();
    const record = await linked(running);
    now.change(record, { comments: 'still broken', work_notes: 'it is the log volume' }, 'mia');
    now.change(record, { state: '2', short_description: 'Log volume full' }, 'mia');
    await waitFor(() => said(running).length >= 4, SOON);
    const reads = now.requests.length;
    await waitFor(() => now.requests.length > reads + 6, SOON);
    expect(said(running)).toEqual([
      { kind: 'comment', text: 'still broken' },
      { kind: 'comment', text: 'it is the log volume' },
      { kind: 'status', status: 'acknowledged', external: '2' },
      { kind: 'fields', fields: { title: 'Log volume full' } },
    ]);
    expect(
      new Set(
        running
          .commands()
          .slice(1)
          .map(({ actor }) => actor.id),
      ),
    ).toEqual(new Set(['servicenow:mia']));
    expect(now.writes).toHaveLength(1);
  });

  it('is silent where the link only tells', async () => {
    const running = start({ direction: 'out' });
    const record = await linked(running);
    now.change(record, { state: '2', comments: 'hello' }, 'mia');
    await running.hear(commented('a', 2, 'x'));
    await waitFor(() => now.journal.length === 2, SOON);
    await idle(running);
    expect(said(running)).toEqual([]);
  });
});

it('check says per item what is wrong', async () => {
  const running = start();
  now.add({ short_description: 'a sample' }, 'mia');
  const of = async (body: Partial<SyncLinkBody>, revision: number) => {
    const items = await running.sync.systemOf(linkOf(body, revision)).check();
    return items.filter(({ result }) => result !== 'ok').map(({ item, result }) => `${item}: ${result}`);
  };
  expect(await of({}, 3)).toEqual(['rights.write: unknown']);
  expect(await of({ table: 'u_nothing' }, 4)).toEqual(['table: wrong']);
  const maps = { statusOut: { resolved: '99' }, fieldMap: [{ ...linkOf().body.fieldMap[0]!, external: 'u_title' }] };
  expect(await of(maps, 5)).toEqual([
    'field.u_title: wrong',
    'status_map.out.resolved: wrong',
    'rights.write: unknown',
  ]);
  expect(await of({ auth: { ...basic(), secret: `${LINK}|wrong password` } }, 6)).toEqual(['table: wrong']);
});
