import { encodeRecord, type IncidentCommandRecord } from '@tocsin/contracts';
import { waitFor } from '@tocsin/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startStore, type RunningStore } from '../spec/store.ts';

let store: RunningStore;
beforeAll(async () => {
  store = await startStore('external-commands');
});
afterAll(() => store.close());

const SOON = { timeoutMs: 20_000 };
const link = { id: 'syn_aaaaaaaaaaaaaaaaaaaaaaaaaa', name: 'Jira OPS', system: 'jira' as const };

const record = (
  incident: string,
  change: string,
  command: IncidentCommandRecord['command'],
  sourceAt = new Date().toISOString(),
): IncidentCommandRecord => ({
  ...{ id: `${link.id}:${change}`, incident_id: incident, workspace_id: store.scene.workspaceId, link, command },
  external: { id: '10001', key: 'OPS-1', url: 'https://jira.example/browse/OPS-1' },
  actor: { kind: 'user', id: 'jira:5b10', name: 'Mia Krystof' },
  ...{ source_at: sourceAt, at: new Date().toISOString(), config_revision: 1 },
});

const say = (...records: IncidentCommandRecord[]): Promise<void> =>
  store.eventLog.append(
    records.map((value) => ({
      ...{ topic: 'incident.commands' as const, key: value.incident_id },
      ...{ value: encodeRecord('incident.command.v1', value), headers: { type: 'incident.command.v1' } },
    })),
  );
const read = async (id: string) => (await store.call('GET', `incidents/${id}`)).body;
const timeline = async (id: string) => (await store.call('GET', `incidents/${id}/timeline?limit=200`)).body.items;
const ofType = async (id: string, type: string) => (await timeline(id)).filter((entry) => entry['type'] === type);

describe('what was done in another system', () => {
  it('comments once, in the name of who wrote it, however often it is told', async () => {
    const id = await store.open('external-comment');
    const comment = record(id, 'comment:7', { kind: 'comment', text: 'Looking at it' });
    await say(comment, comment);
    await say(comment, record(id, 'comment:8', { kind: 'comment', text: 'Done' }));
    await waitFor(async () => (await ofType(id, 'CommentAdded')).length >= 2, SOON);
    const comments = await ofType(id, 'CommentAdded');
    expect(
      comments.map(({ data, actor }) => [(data as { text: string }).text, (actor as { name: string }).name]),
    ).toEqual([
      ['Looking at it', 'Mia Krystof'],
      ['Done', 'Mia Krystof'],
    ]);
  });

  it('acknowledges, resolves, and works on again what was closed', async () => {
    const id = await store.open('external-status');
    const is = (status: string) => waitFor(async () => (await read(id))['status'] === status, SOON);
    await say(record(id, 's:1', { kind: 'status', status: 'acknowledged', external: 'In Progress' }));
    await is('acknowledged');
    await say(record(id, 's:2', { kind: 'status', status: 'resolved', external: 'Done' }));
    await is('resolved');
    await say(record(id, 's:3', { kind: 'status', status: 'acknowledged', external: 'In Progress' }));
    await is('acknowledged');
    const causes = (await timeline(id)).map(({ type, cause_id: cause }) => [type, cause]);
    expect(causes.slice(1)).toEqual([
      ['IncidentAcknowledged', `${link.id}:s:1`],
      ['IncidentResolved', `${link.id}:s:2`],
      ['IncidentReopened', `${link.id}:s:3`],
      ['IncidentAcknowledged', `${link.id}:s:3`],
    ]);
  });

  it('gives way to a later change here, and both stay in the timeline', async () => {
    const id = await store.open('external-late');
    const before = new Date(Date.now() - 60_000).toISOString();
    expect((await store.call('POST', `incidents/${id}/acknowledge`, { note: 'mine' })).status).toBe(200);
    expect((await store.call('PATCH', `incidents/${id}`, { title: 'Named here' })).status).toBe(200);
    const fields = { title: 'Named there', description: 'Said there' };
    await say(
      record(id, 's:1', { kind: 'status', status: 'resolved', external: 'Done' }, before),
      record(id, 'f:1', { kind: 'fields', fields }, before),
    );
    await waitFor(async () => (await ofType(id, 'sync.superseded')).length === 2, SOON);
    expect(await read(id)).toMatchObject({ status: 'acknowledged', title: 'Named here', description: 'Said there' });
    const [lost] = await ofType(id, 'sync.superseded');
    expect(lost).toMatchObject({
      kind: 'sync',
      actor: { name: 'Mia Krystof' },
      summary: expect.stringContaining('“Done”'),
    });
    expect(await ofType(id, 'IncidentAcknowledged')).toHaveLength(1);
  });

  it('ends a snooze by reopening, and keeps what is only to be told', async () => {
    const id = await store.open('external-refused');
    const command = record(id, 's:9', { kind: 'status', status: 'open', external: 'To Do' });
    await store.call('POST', `incidents/${id}/snooze`, { until: new Date(Date.now() + 3_600_000).toISOString() });
    await say({ ...command, source_at: new Date(Date.now() + 1_000).toISOString() });
    await waitFor(async () => (await read(id))['status'] === 'open', SOON); // a snooze ends by reopening
    await say(record(id, 'n:1', { kind: 'note', type: 'sync.linked', detail: 'Linked with OPS-1.' }));
    await waitFor(async () => (await ofType(id, 'sync.linked')).length === 1, SOON);
    const links = [{ system: 'jira', id: 'OPS-1', url: 'https://jira.example/browse/OPS-1' }];
    expect(await read(id)).toMatchObject({ external_links: links });
    expect(await ofType(id, 'ExternalLinkAdded')).toMatchObject([{ summary: 'Linked with OPS-1 in Jira.' }]);
  });

  it('is nothing for an incident of another workspace', async () => {
    const id = await store.open('external-stranger');
    const strange = { ...record(id, 'c:1', { kind: 'comment', text: 'x' }), workspace_id: 'ws_other' };
    await say(strange, record(id, 'c:2', { kind: 'comment', text: 'y' }));
    await waitFor(async () => (await ofType(id, 'CommentAdded')).length >= 1, SOON);
    expect((await ofType(id, 'CommentAdded')).map(({ data }) => (data as { text: string }).text)).toEqual(['y']);
  });
});
