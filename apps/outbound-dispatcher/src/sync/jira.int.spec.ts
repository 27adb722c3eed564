import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { waitFor } from '@tocsin/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { incidentId } from '../spec/events.ts';
import { WORKSPACE } from '../spec/harness.ts';
import { listEntries } from './entry-list.ts';
import { JiraServer, MIA } from './spec/jira-server.ts';
import {
  acknowledged,
  aLink,
  anEvent,
  commented,
  LINK,
  opened,
  resolved,
  SECRET,
  startSync,
  syncDatabase,
  type RunningSync,
} from './spec/sync-harness.ts';

const SOON = { timeoutMs: 20_000 };
const ends: (() => Promise<unknown>)[] = [];
let database: Awaited<ReturnType<typeof syncDatabase>>;
let jira: JiraServer;
beforeEach(async () => {
  database = await syncDatabase();
  jira = await new JiraServer().start();
  ends.push(
    () => database.drop(),
    () => jira.stop(),
  );
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const start = (...[body, timing]: [Parameters<typeof aLink>[2]?, Parameters<typeof startSync>[2]?]): RunningSync => {
  const running = startSync(database.url, aLink('jira', jira.url, body), timing);
  ends.push(running.stop);
  return running;
};
const entriesOf = ({ pools }: RunningSync) =>
  listEntries(pools.rest, { workspaceId: WORKSPACE, linkId: LINK, limit: 50 });
const entry = async (running: RunningSync) => (await entriesOf(running)).items[0];
const idle = (running: RunningSync) =>
  waitFor(async () => (await entriesOf(running)).items.every(({ waiting }) => waiting === 0), SOON);
const theIssue = () => waitFor(() => jira.issues[0], SOON);
const created = async (running: RunningSync) => {
  await running.hear(opened('a'));
  await theIssue();
  await waitFor(async () => (await entry(running))?.state === 'linked', SOON);
  return jira.issues[0]!;
};
const said = (running: RunningSync) =>
  running
    .commands()
    .filter(({ command }) => command.kind !== 'note')
    .map(({ command }) => command);
const notes = (running: RunningSync) =>
  running.commands().flatMap(({ command }) => (command.kind === 'note' ? [command.type] : []));

describe('out to Jira', () => {
  it('opens one issue, in order says comments, states and fields, and names the issue', async () => {
    const running = start({ workNotes: true });
    await running.hear(
      opened('a', { severity: 'critical' }),
      commented('a', 2, 'Looking at it'),
      acknowledged('a', 3),
      anEvent('a', 4, {
        type: 'SeverityChanged',
        data: { from: 'critical', to: 'low', policy: 'person', alert_id: null },
        changed: ['severity'],
        incident: { severity: 'low' },
      }),
      resolved('a', 5),
    );
    const issue = await theIssue();
    await waitFor(() => issue.fields.status.name === 'Done', SOON);
    await idle(running);
    expect(issue.fields).toMatchObject({
      summary: 'Disk full',
      description: 'No space left',
      priority: { name: 'Low' },
      issuetype: { name: 'Task' },
    });
    expect(issue.fields.labels).toEqual(['tocsin', `tocsin-${incidentId('a')}`]);
    expect(issue.comments.map(({ body, jsdPublic }) => [body.split('\n')[0], jsdPublic])).toEqual([
      ['Looking at it', true],
      ['Acknowledged by Jo Responder: “on it”.', false],
      ['Severity changed from critical to low by Jo Responder.', false],
      ['Resolved by Jo Responder.', false],
    ]);
    expect(issue.histories.map(({ items: [item] }) => item?.toString).reverse()).toEqual([
      'In Progress',
      'Low',
      'Done',
    ]);
    expect(await entry(running)).toMatchObject({
      ...{ incident_id: incidentId('a'), external_key: 'OPS-1', external_url: `${jira.url}/browse/OPS-1` },
      ...{ state: 'linked', waiting: 0, last_error: null },
    });
    expect(notes(running)).toEqual(['sync.linked']);
    expect(said(running)).toEqual([]); // nothing of it comes back
  });

  it('hears an event twice and does it once', async () => {
    const running = start();
    const issue = await created(running);
    await running.hear(opened('a'), commented('a', 2, 'once'));
    await running.hear(commented('a', 2, 'once'));
    await waitFor(() => issue.comments.length > 0, SOON);
    await idle(running);
    expect([jira.issues.length, issue.comments.length]).toEqual([1, 1]);
  });

  it('waits out 429 as long as Jira asks, and a Jira that is down, without losing an attempt or the order', async () => {
    const running = start();
    const issue = await created(running);
    let refusals = 0;
    jira.trouble = ({ method }) =>
      method === 'POST' && refusals++ < 1 ? { status: 429, headers: { 'retry-after': '1' } } : undefined;
    const asked = Date.now();
    await running.hear(commented('a', 2, 'first'));
    await waitFor(async () => !(await entriesOf(running)).system.answers, SOON);
    await waitFor(() => issue.comments.length === 1, SOON);
    expect(Date.now() - asked).toBeGreaterThanOrEqual(900);
    await jira.stop();
    await running.hear(commented('a', 3, 'second'), commented('a', 4, 'third'));
    await waitFor(async () => (await entriesOf(running)).system.last_error?.includes('ECONNREFUSED'), SOON);
    await jira.start();
    await waitFor(() => issue.comments.length === 3, SOON);
    expect(issue.comments.map(({ body }) => body.split('\n')[0])).toEqual(['first', 'second', 'third']);
    await waitFor(async () => (await entriesOf(running)).system.answers, SOON);
  });

  it('gives up what Jira rejects, says so, and goes on with the next', async () => {
    const running = start();
    const issue = await created(running);
    jira.trouble = ({ path, method }) =>
      method === 'POST' && path.endsWith('/transitions')
        ? { status: 400, body: { errors: { resolution: 'Resolution is required.' } } }
        : undefined;
    await running.hear(resolved('a', 2), commented('a', 3, 'after'));
    await waitFor(() => issue.comments.length === 1, SOON);
    await idle(running);
    expect(notes(running)).toEqual(['sync.linked', 'sync.failed']);
    expect(running.commands().at(-1)?.command).toMatchObject({
      detail: expect.stringContaining('resolution: Resolution is required.'),
    });
  });

  it('keeps ops while its credential is refused, and goes on with a new one', async () => {
    const running = start();
    const issue = await created(running);
    jira.token = 'another-token-98765';
    await running.hear(commented('a', 2, 'kept'));
    await waitFor(async () => (await entriesOf(running)).system.last_error?.includes('401'), SOON);
    expect(JSON.stringify(await entriesOf(running))).not.toContain(SECRET);
    const link = aLink('jira', jira.url, {}, 3);
    running.change({ ...link, body: { ...link.body, auth: { ...link.body.auth, secret: `${LINK}|${jira.token}` } } });
    await waitFor(() => issue.comments.length === 1, SOON);
  });

  it.each([
    ['an issue', 'issue', () => jira.issues.length],
    ['a comment', 'comment', () => jira.issues[0]?.comments.length ?? 0],
  ])('makes %s once where the answer is lost', async (_what, part, count) => {
    const running = start();
    if (part === 'comment') await created(running);
    let lost = 0;
    jira.trouble = ({ method, path }) =>
      method === 'POST' && path.endsWith(`/${part}`) && lost++ < 2 ? { lose: true } : undefined;
    await running.hear(...(part === 'comment' ? [commented('a', 2, 'x')] : [opened('a')]));
    await waitFor(() => count() > 0 && lost > 0, SOON);
    await waitFor(async () => (await entry(running))?.state === 'linked', SOON);
    await idle(running);
    expect(count()).toBe(1);
  });

  it('makes an issue once where its process is killed between the creation and its note', async () => {
    const entryFile = new URL('./spec/sync-process.ts', import.meta.url).pathname;
    const options = ['--conditions=source', '--experimental-transform-types', '--no-warnings', entryFile];
    jira.trouble = ({ method, path }) =>
      method === 'POST' && path.endsWith('/issue') ? { waitMs: 60_000, lose: true } : undefined;
    const planner = start();
    await planner.sync.beforeApplicationShutdown(); // it plans, the child works
    const child = spawn(process.execPath, [...options, database.url, jira.url], { stdio: 'inherit' });
    ends.push(() => Promise.resolve(child.kill('SIGKILL')));
    await planner.hear(opened('a'));
    await waitFor(() => jira.writes.some(({ path }) => path.endsWith('/issue')), { timeoutMs: 60_000 });
    jira.add({ ...(jira.writes[0]!.body['fields'] as object) }); // Jira has done it, and nobody has heard
    const dead = once(child, 'exit');
    child.kill('SIGKILL');
    await dead;
    jira.trouble = () => undefined;
    const again = startSync(database.url, aLink('jira', jira.url));
    ends.push(again.stop);
    await waitFor(async () => (await entry(again))?.state === 'linked', { timeoutMs: 30_000 });
    expect(jira.issues).toHaveLength(1);
    expect(jira.writes.filter(({ path }) => path.endsWith('/issue'))).toHaveLength(1);
  });

  it('takes the issue of an incident that Jira opened, instead of another', async () => {
    jira.add({ summary: 'Disk full' });
    const running = start({ webhookId: 'whk_jira' });
    const event = opened('a', { webhook_id: 'whk_jira' });
    event.event.data = { predecessor_id: null, alert: { title: 'Disk full', dedup_key: 'OPS-1' } };
    await running.hear(event, commented('a', 2, 'hello'));
    await waitFor(() => jira.issues[0]?.comments.length === 1, SOON);
    expect(jira.issues).toHaveLength(1);
  });
});

describe.each([
  ['Cloud', true],
  ['Data Center', false],
])('in from Jira %s', (_name, cloud) => {
  it('takes over comments, states and fields of people, once each', async () => {
    jira.cloud = cloud;
    for (let other = 0; other < 5; other += 1) jira.add({ summary: `other ${other}` }); // more than a page
    const running = start({ workNotes: true });
    await running.hear(opened('a'));
    const issue = await waitFor(() => jira.issues[5], SOON);
    await waitFor(async () => (await entry(running))?.state === 'linked', SOON);
    jira.say(issue, 'It is the log volume');
    jira.say(issue, 'internally: third time', MIA, false);
    jira.moveTo(issue, 'In Progress');
    jira.edit(issue, 'summary', 'Log volume full');
    jira.edit(issue, 'priority', { name: 'Highest' });
    await waitFor(() => said(running).length >= 5, SOON);
    const reads = jira.requests.length;
    await waitFor(() => jira.requests.length > reads + 6, SOON); // and looks again
    expect(said(running)).toEqual([
      { kind: 'comment', text: 'It is the log volume' },
      { kind: 'comment', text: 'internally: third time' },
      { kind: 'status', status: 'acknowledged', external: 'In Progress' },
      { kind: 'fields', fields: { title: 'Log volume full' } },
      { kind: 'fields', fields: { severity: 'critical' } },
    ]);
    const by = running.commands().filter(({ command }) => command.kind !== 'note');
    expect(new Set(by.map(({ actor }) => `${actor.id} ${actor.name}`))).toEqual(
      new Set(['jira:5b10a2844c Mia Krystof']),
    );
    // What incident-store makes of it is not sent back.
    await running.hear(
      anEvent('a', 2, {
        type: 'IncidentAcknowledged',
        data: { note: null, alert_id: null },
        changed: ['status'],
        incident: { status: 'acknowledged' },
        cause: by[2]!.id,
      }),
    );
    await idle(running);
    expect(jira.writes).toHaveLength(1);
  });
});

describe('the later change wins', () => {
  it('Jira’s: nothing is written over it, and it comes in', async () => {
    const running = start();
    const issue = await created(running);
    const before = new Date(Date.now() - 60_000).toISOString();
    jira.moveTo(issue, 'Done');
    await running.hear(acknowledged('a', 2, before));
    await waitFor(() => said(running).length === 1, SOON);
    await idle(running);
    expect(issue.fields.status.name).toBe('Done');
    expect(said(running)).toEqual([{ kind: 'status', status: 'resolved', external: 'Done' }]);
  });

  it('ours: it is written, and what it replaced is kept in the timeline', async () => {
    const running = start({ direction: 'out' }); // nothing is read in between
    const issue = await created(running);
    jira.moveTo(issue, 'Done');
    await running.hear(acknowledged('a', 2, new Date(Date.now() + 60_000).toISOString()));
    await waitFor(() => issue.fields.status.name === 'In Progress', SOON);
    await waitFor(() => notes(running).includes('sync.superseded'), SOON);
    expect(running.commands().at(-1)?.command).toMatchObject({
      detail: expect.stringContaining('“Done” of Mia Krystof'),
    });
  });
});

it('forgets ops that ended long ago, and those only', async () => {
  const first = start({ direction: 'out' });
  const issue = await created(first);
  await first.hear(commented('a', 2, 'x'));
  await waitFor(() => issue.comments.length === 1, SOON);
  await idle(first);
  const { pipeline } = first.pools;
  await pipeline.query(
    `update outbound_dispatcher.sync_ops set finished_at = now() - interval '31 days' where kind = 'create'`,
  );
  start({ direction: 'out' }); // looks through them when it begins
  const kinds = async () =>
    (await pipeline.query<{ kind: string }>('select kind from outbound_dispatcher.sync_ops')).rows;
  await waitFor(async () => (await kinds()).length === 1, SOON);
  expect(await kinds()).toEqual([{ kind: 'comment' }]);
});

it('check says per item what is wrong', async () => {
  const running = start();
  const good = await running.sync.systemOf(aLink('jira', jira.url)).check();
  expect(good.filter(({ result }) => result !== 'ok')).toEqual([]);
  jira.permissions = ['BROWSE_PROJECTS'];
  const body = {
    statusOut: { resolved: 'Closed' },
    fieldMap: [{ ...aLink('jira', '').body.fieldMap[2]!, values: { low: 'Trivial' } }],
  };
  const bad = await running.sync.systemOf(aLink('jira', jira.url, body, 9)).check();
  expect(bad.filter(({ result }) => result === 'wrong').map(({ item }) => item)).toEqual([
    ...['rights.CREATE_ISSUES', 'rights.ADD_COMMENTS', 'rights.TRANSITION_ISSUES', 'rights.EDIT_ISSUES'],
    ...['status_map.out.resolved', 'field_map.priority'],
  ]);
  const away = await running.sync.systemOf(aLink('jira', 'http://10.0.0.1', {}, 10)).check();
  expect(away).toEqual([
    expect.objectContaining({ item: 'sign_in', result: 'wrong', message: expect.stringContaining('OUTBOUND_ALLOW') }),
  ]);
});
