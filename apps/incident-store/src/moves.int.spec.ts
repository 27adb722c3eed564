import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deriveId } from '@tocsin/contracts';
import { waitFor } from '@tocsin/testing';
import { rebuild } from './rebuild/index.ts';
import { startStore, type Answer, type RunningStore } from './spec/store.ts';

let store: RunningStore;
beforeAll(async () => {
  store = await startStore('moves.int.spec');
});
afterAll(() => store.close());

const post = (path: string, body: unknown = {}, headers?: Record<string, string>): Promise<Answer> =>
  store.call('POST', path, body, headers);
const read = async (id: string) => (await store.call('GET', `incidents/${id}`)).body;
const typesOn = async (id: string) =>
  (await store.call('GET', `incidents/${id}/timeline`)).body.items.map(({ type }) => type);
const alertsOf = async (id: string) =>
  (await store.call('GET', `incidents/${id}/alerts`)).body.items.map((alert) => [alert['id'], alert['status']]);
const holdersOf = async (id: string): Promise<string[]> => {
  const { rows } = await store.pools.pipeline.query<{ dedup_key: string }>(
    'select dedup_key from incident_store.key_holders where incident_id = $1 order by dedup_key',
    [id],
  );
  return rows.map(({ dedup_key }) => dedup_key);
};
const intact = async (id: string) => (await store.call('GET', `incidents/${id}/audit`)).body['intact'];

describe('merging incidents', () => {
  it('makes one of two: alerts, keys, counts and pointers, each told once to subscribers and the correlator', async () => {
    const { scene } = store;
    const [a, b] = [await store.open('m-a'), await store.open('m-b')];
    await store.settle(scene.joins('m-a2', 1, 'm-a'), scene.repeat('m-a3', 2, 'm-a'));
    const merged = await post(`incidents/${a}/merge`, { into: b, note: 'one disk' }, { 'if-match': '"3"' });
    expect(merged).toMatchObject({
      status: 200,
      body: {
        ...{ id: a, status: 'resolved', merged_into: b, webhook_occurrence_count: 0, correlated_alert_count: 0 },
        events: [{ type: 'AlertsMoved' }, { type: 'IncidentsMerged' }, { type: 'IncidentResolved' }],
        related: [{ id: b, status: 'open', webhook_occurrence_count: 2, correlated_alert_count: 2, merged_from: [a] }],
      },
    });
    expect(await read(b)).toMatchObject({ merged_from: [a], merged_into: null });
    expect(await alertsOf(a)).toEqual([]);
    expect(await alertsOf(b)).toEqual([
      [scene.alertId('m-b'), 'open'],
      [scene.alertId('m-a'), 'open'],
      [scene.alertId('m-a2'), 'open'],
    ]);
    expect([await holdersOf(a), await holdersOf(b)]).toEqual([[], ['m-a', 'm-a2', 'm-b']]);
    const told = await waitFor(
      () => {
        const facts = store.facts.filter(({ incidentId, at }) => [a, b].includes(incidentId) && at > scene.minute(59));
        return facts.length >= 2 && facts;
      },
      { timeoutMs: 20_000 },
    );
    expect(told).toMatchObject([
      { incidentId: a, fact: { kind: 'closed' }, keys: [] },
      { incidentId: b, fact: { kind: 'open' }, keys: [{ dedupKey: 'm-a' }, { dedupKey: 'm-a2' }] },
    ]);
    const names = await waitFor(
      () => {
        const since = store.events.filter(({ event }) => event.reason === 'merged');
        return since.length >= 5 && since.map(({ outbound_name, changed }) => [outbound_name, changed]);
      },
      { timeoutMs: 20_000 },
    );
    expect(names).toContainEqual(['incident.updated', ['merged_into']]);
    expect(names).toContainEqual(['incident.resolved', ['status', 'resolved_at']]);
    expect(names).toContainEqual(['incident.updated', ['merged_from']]);
    expect([await intact(a), await intact(b)]).toEqual([true, true]);
  });

  it('lets later repeats and resolves of the moved keys reach the survivor, whatever the correlator knew', async () => {
    const { scene } = store;
    const [a, b] = [await store.open('l-a'), await store.open('l-b')];
    await post(`incidents/${a}/merge`, { into: b });
    // Decided before the correlator heard: they still name the incident that is gone.
    await store.settle(scene.repeat('l-a2', 1, 'l-a'), scene.joins('l-c', 2, 'l-a'));
    expect(await read(b)).toMatchObject({ webhook_occurrence_count: 2, correlated_alert_count: 2 });
    await store.settle(scene.over('l-a-end', 3, 'l-a'), scene.over('l-b-end', 3, 'l-b'));
    expect(await read(b)).toMatchObject({ status: 'open' });
    await store.settle(scene.over('l-c-end', 4, 'l-c'));
    expect(await read(b)).toMatchObject({ status: 'resolved' });
    expect(await read(a)).toMatchObject({ status: 'resolved', merged_into: b });
  });

  it('takes several in at once, and is told in plain words', async () => {
    const ids = await Promise.all(['t-a', 't-b', 't-c'].map((name) => store.open(name)));
    const [a, b, c] = ids as [string, string, string];
    expect(await post(`incidents/${a}/merge`, { ids: [b, c] })).toMatchObject({
      status: 200,
      body: { id: a, correlated_alert_count: 2, merged_from: [b, c], related: [{ id: b }, { id: c }] },
    });
    const said = async (id: string) =>
      (await store.call('GET', `incidents/${id}/timeline`)).body.items.map(({ summary }) => summary);
    const { number: first } = await read(b);
    expect(await said(a)).toContainEqual(
      expect.stringMatching(
        new RegExp(`^Took in #${String(first)} “Alert t-b”, #\\d+ “Alert t-c”, merged by installer[.]$`),
      ),
    );
    expect((await said(b)).at(-1)).toBe('Resolved: merged away by installer.');
  });

  it('is refused in a circle, in the wrong state and for what is not there, and changes nothing then', async () => {
    const [a, b, c] = [await store.open('r-a'), await store.open('r-b'), await store.open('r-c')];
    expect(await post(`incidents/${a}/merge`, { into: a })).toMatchObject({
      status: 409,
      body: { code: 'merge-cycle' },
    });
    await post(`incidents/${a}/merge`, { into: b });
    await post(`incidents/${b}/merge`, { into: c });
    expect(await post(`incidents/${c}/merge`, { into: a })).toMatchObject({
      status: 409,
      body: { code: 'merge-cycle' },
    });
    expect(await post(`incidents/${a}/merge`, { into: c })).toMatchObject({
      status: 409,
      body: { code: 'wrong-state', incident_id: a, current_status: 'resolved', merged_into: b },
    });
    for (const command of ['reopen', 'acknowledge', 'resolve'])
      expect(await post(`incidents/${a}/${command}`)).toMatchObject({ status: 409, body: { merged_into: b } });
    expect(await post(`incidents/${c}/merge`, { ids: [deriveId('inc', 'nobody')] })).toMatchObject({ status: 404 });
    expect(await store.asStranger('POST', `incidents/${c}/merge`, { ids: [a] })).toMatchObject({ status: 404 });
    expect(await post(`incidents/${c}/merge`, {})).toMatchObject({ status: 422, body: { errors: [{ path: 'into' }] } });
    expect(await post(`incidents/${c}/merge`, { into: a, ids: [b] })).toMatchObject({ status: 422 });
    expect(await post(`incidents/${c}/merge`, { into: b }, { 'if-match': '"99"' })).toMatchObject({ status: 412 });
    expect(await typesOn(c)).toEqual(['IncidentOpened', 'IncidentsMerged', 'AlertsMoved']);
  });

  it('is repeated under its Idempotency-Key without a second effect', async () => {
    const [a, b] = [await store.open('i-a'), await store.open('i-b')];
    const key = { 'idempotency-key': 'merge-1' };
    const first = await post(`incidents/${a}/merge`, { into: b }, key);
    const again = await post(`incidents/${a}/merge`, { into: b }, key);
    expect(again.body['events']).toEqual(first.body['events']);
    expect(again.body).toMatchObject({ merged_into: b, related: [{ id: b, version: 3 }] });
    expect(await post(`incidents/${a}/merge`, { into: a, note: 'x' }, key)).toMatchObject({
      status: 409,
      body: { code: 'conflict' },
    });
  });

  it('loses nothing while alerts, commands and merges the other way come at the same time', async () => {
    const { scene } = store;
    const names = ['x-0', 'x-1', 'x-2', 'x-3'];
    const ids = await Promise.all(names.map((name) => store.open(name)));
    const merges = ids.flatMap((id) => ids.filter((other) => other !== id).map((into) => [id, into] as const));
    const repeats = Array.from({ length: 40 }, (_, index) => scene.repeat(`x-r${index}`, 1, names[index % 4]!));
    const [answers] = await Promise.all([
      Promise.all(merges.map(([id, into]) => post(`incidents/${id}/merge`, { into }))),
      ...repeats.map((alert) => store.say(scene.record(alert))),
      ...ids.map((id) => post(`incidents/${id}/comments`, { text: 'still here' })),
    ]);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 409]));
    for (const { alert } of repeats)
      await waitFor(async () => (await store.call('GET', `alerts/${alert.id}`)).status === 200, { timeoutMs: 30_000 });
    const states = await Promise.all(ids.map(read));
    const survivors = states.filter(({ merged_into }) => merged_into === null);
    expect(survivors.length).toBeGreaterThan(0);
    const total = states.reduce(
      (sum, state) => sum + Number(state['webhook_occurrence_count']) + Number(state['correlated_alert_count']),
      0,
    );
    expect(total).toBe(4 + 40);
    expect((await Promise.all(ids.map(holdersOf))).flat().sort()).toEqual(names);
    for (const { id } of survivors)
      expect((await holdersOf(String(id))).length).toBe((await alertsOf(String(id))).length);
    expect(await Promise.all(ids.map(intact))).toEqual([true, true, true, true]);
  });
});

describe('moving alerts', () => {
  it('takes them with their repeats to another incident, and what comes later follows', async () => {
    const { scene } = store;
    const [a, b] = [await store.open('v-a'), await store.open('v-b')];
    await store.settle(scene.joins('v-a2', 1, 'v-a'), scene.repeat('v-a3', 2, 'v-a2'));
    const moved = await post(`incidents/${a}/move-alerts`, {
      alert_ids: [scene.alertId('v-a2')],
      into: b,
      note: 'not ours',
    });
    expect(moved).toMatchObject({
      status: 200,
      body: {
        ...{ id: a, status: 'open', webhook_occurrence_count: 1, correlated_alert_count: 0 },
        events: [{ type: 'AlertsMoved' }],
        related: [{ id: b, webhook_occurrence_count: 2, correlated_alert_count: 1 }],
      },
    });
    expect([await holdersOf(a), await holdersOf(b)]).toEqual([['v-a'], ['v-a2', 'v-b']]);
    await store.settle(
      scene.decided(scene.alert('v-a4', 3, { key: 'v-a2' }), {
        ...{ kind: 'deduplicated', incidentId: a, alertId: scene.alertId('v-a2') },
      }),
      scene.decided(scene.alert('v-a5', 4, { key: 'v-a2', status: 'resolved' }), {
        ...{ kind: 'resolved', incidentId: a, alertIds: [scene.alertId('v-a2')] },
      }),
    );
    expect(await read(b)).toMatchObject({ webhook_occurrence_count: 3, status: 'open' });
    expect(await alertsOf(b)).toContainEqual([scene.alertId('v-a2'), 'resolved']);
    expect(await read(a)).toMatchObject({ webhook_occurrence_count: 1, status: 'open' });
    expect((await store.call('GET', `alerts/${scene.alertId('v-a2')}`)).body['incident_id']).toBe(b);
    expect([await intact(a), await intact(b)]).toEqual([true, true]);
  });

  it('opens a new incident for them, numbered and told as created', async () => {
    const { scene } = store;
    const a = await store.open('n-a');
    await store.settle(scene.joins('n-a2', 1, 'n-a'));
    const key = { 'idempotency-key': 'move-1' };
    const body = { alert_ids: [scene.alertId('n-a2')], title: 'Something else', severity: 'critical' };
    const { status, body: moved } = await post(`incidents/${a}/move-alerts`, body, key);
    const [made] = moved['related'] as [Record<string, unknown>];
    expect({ status, made }).toMatchObject({
      status: 200,
      made: { title: 'Something else', severity: 'critical', webhook_id: scene.webhookId, webhook_occurrence_count: 1 },
    });
    expect((await post(`incidents/${a}/move-alerts`, body, key)).body['related']).toMatchObject([{ id: made['id'] }]);
    expect(await post(`incidents/${a}/move-alerts`, { ...body, note: 'other' }, key)).toMatchObject({ status: 409 });
    expect(await holdersOf(String(made['id']))).toEqual(['n-a2']);
    const created = await waitFor(
      () => store.events.find(({ event }) => event.stream === made['id'] && event.version === 1),
      { timeoutMs: 20_000 },
    );
    expect(created).toMatchObject({ outbound_name: 'incident.created', event: { type: 'IncidentDeclared' } });
    expect((await store.call('GET', `incidents/${String(made['id'])}`)).body['number']).toBe(made['number']);
  });

  it('is refused for alerts of others, into itself, into what is closed, and with a title for what has one', async () => {
    const { scene } = store;
    const [a, b] = [await store.open('w-a'), await store.open('w-b')];
    const own = [scene.alertId('w-a')];
    expect(await post(`incidents/${a}/move-alerts`, { alert_ids: [...own, scene.alertId('w-b')] })).toMatchObject({
      status: 422,
      body: { errors: [{ path: 'alert_ids[1]', code: 'not-an-alert-of-this-incident' }] },
    });
    expect(await post(`incidents/${a}/move-alerts`, { alert_ids: own, into: a })).toMatchObject({ status: 422 });
    expect(await post(`incidents/${a}/move-alerts`, { alert_ids: own, into: b, title: 'x' })).toMatchObject({
      status: 422,
    });
    await post(`incidents/${b}/resolve`);
    expect(await post(`incidents/${a}/move-alerts`, { alert_ids: own, into: b })).toMatchObject({
      status: 409,
      body: { code: 'wrong-state', incident_id: b, current_status: 'resolved' },
    });
    expect(await post(`incidents/${a}/move-alerts`, { alert_ids: own, into: deriveId('inc', 'x') })).toMatchObject({
      status: 404,
    });
    expect(await typesOn(a)).toEqual(['IncidentOpened']);
  });
});

describe('an incident by hand', () => {
  it('is opened with a number, told as created, and joined by alerts like any other', async () => {
    const { scene } = store;
    const { status, body } = await post('incidents', {
      ...{ title: 'Customers cannot pay', description: 'Three calls', severity: 'high', priority: 'P1' },
      ...{ services: ['checkout', 'checkout'], tags: ['env:production'], custom_fields: { tier: 'gold', calls: 3 } },
      ...{ assignee: 'ada', url: 'https://wiki.example.com', incident_type: 'outage', source: 'phone' },
    });
    expect({ status, body }).toMatchObject({
      status: 201,
      body: {
        ...{
          status: 'open',
          severity: 'high',
          urgency: 'HIGH',
          priority: 'P1',
          services: ['checkout'],
          assignee: 'ada',
        },
        ...{ custom_fields: { tier: 'gold', calls: 3 }, connector: null, webhook_id: null, last_alert_at: null },
        ...{ webhook_occurrence_count: 0, number: expect.any(Number) as unknown, version: 1 },
        events: [{ type: 'IncidentDeclared', version: 1 }],
      },
    });
    const id = String(body['id']);
    const told = await waitFor(() => store.facts.find(({ incidentId }) => incidentId === id), { timeoutMs: 20_000 });
    expect(told).toMatchObject({ fact: { kind: 'open', services: ['checkout'], severity: 'high' }, keys: [] });
    await store.settle(scene.decided(scene.alert('h-1', 1), { kind: 'correlated', incidentId: id }, 'time-window'));
    expect(await read(id)).toMatchObject({ correlated_alert_count: 1, last_alert_at: scene.minute(1) });
    expect(await intact(id)).toBe(true);
    expect((await store.asStranger('GET', `incidents/${id}`)).status).toBe(404);
  });

  it('is opened once under an Idempotency-Key', async () => {
    const key = { 'idempotency-key': 'open-1' };
    const first = await post('incidents', { title: 'Once' }, key);
    const again = await post('incidents', { title: 'Once' }, key);
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(again.body).toEqual(first.body);
    expect(await post('incidents', { title: 'Twice' }, key)).toMatchObject({ status: 409, body: { code: 'conflict' } });
  });

  it('has custom fields and a type that are corrected one by one, also twice under one key', async () => {
    const { body } = await post('incidents', { title: 'Fields', custom_fields: { tier: 'gold', calls: 3 } });
    const path = `incidents/${String(body['id'])}`;
    const edit = { custom_fields: { calls: null, room: 'b\u0000' }, incident_type: 'outage' };
    const key = { 'idempotency-key': 'edit-1' };
    const edited = await store.call('PATCH', path, edit, key);
    expect(edited).toMatchObject({ status: 200, body: { incident_type: 'outage', version: 2 } });
    expect(edited.body['custom_fields']).toEqual({ tier: 'gold', room: 'b\ufffd' });
    expect((await store.call('PATCH', path, edit, key)).body['events']).toEqual(edited.body['events']);
    expect(await store.call('PATCH', path, { custom_fields: { calls: 1 } }, key)).toMatchObject({ status: 409 });
    expect(await store.call('PATCH', path, { custom_fields: { 'No Name': 1 } })).toMatchObject({ status: 422 });
    const large = Object.fromEntries(Array.from({ length: 6 }, (_, n) => [`f${n}`, 'x'.repeat(9_900)]));
    expect(await store.call('PATCH', path, { custom_fields: large })).toMatchObject({ status: 200 });
    const more = Object.fromEntries(Array.from({ length: 6 }, (_, n) => [`g${n}`, 'x'.repeat(9_900)]));
    expect(await store.call('PATCH', path, { custom_fields: more })).toMatchObject({
      status: 422,
      body: { errors: [{ path: 'custom_fields', code: 'too-large' }] },
    });
  });

  it.each([
    [{}, 'title'],
    [{ title: '' }, 'title'],
    [{ title: 'x', severity: 'awful' }, 'severity'],
    [{ title: 'x', priority: 'P9' }, 'priority'],
    [{ title: 'x', services: 'one' }, 'services'],
    [{ title: 'x', custom_fields: { 'Not Snake': 1 } }, 'custom_fields.Not Snake'],
    [{ title: 'x', custom_fields: { deep: { a: [[[[[[[[[[1]]]]]]]]]] } } }, 'custom_fields'],
    [{ title: 'x', custom_fields: { long: 'x'.repeat(10_001) } }, 'custom_fields'],
  ])('is refused: %j', async (input, path) => {
    const { status, body } = await post('incidents', input);
    expect({ status, errors: body['errors'] }).toMatchObject({
      status: 422,
      errors: expect.arrayContaining([expect.objectContaining({ path })]) as unknown,
    });
  });

  it('holds texts that PostgreSQL cannot, cleaned', async () => {
    const { status, body } = await post('incidents', {
      title: 'a\u0000b',
      tags: ['\u0000'],
      custom_fields: { x: 'c\u0000' },
    });
    expect({ status, body }).toMatchObject({
      status: 201,
      body: { title: 'a\ufffdb', tags: ['\ufffd'], custom_fields: { x: 'c\ufffd' } },
    });
  });
});

describe('one command on many incidents', () => {
  it('merges them into one, and edits them alike', async () => {
    const [a, b, c] = [await store.open('b-a'), await store.open('b-b'), await store.open('b-c')];
    expect(
      await post('incidents/bulk', { ids: [b, c], command: 'edit', fields: { severity: 'low', tags: ['batch'] } }),
    ).toMatchObject({ status: 200, body: { results: [{ ok: true }, { ok: true }] } });
    expect(await read(b)).toMatchObject({ severity: 'low', tags: ['batch'] });
    expect(await post('incidents/bulk', { ids: [b, c, a], command: 'merge', into: a, note: 'same' })).toMatchObject({
      status: 200,
      body: {
        results: [
          { id: b, ok: true, status: 'resolved' },
          { id: c, ok: true, status: 'resolved' },
          { id: a, ok: false, code: 'merge-cycle' },
        ],
      },
    });
    expect(await read(a)).toMatchObject({ merged_from: [b, c], correlated_alert_count: 2 });
    expect(await post('incidents/bulk', { ids: [a], command: 'merge' })).toMatchObject({ status: 422 });
    expect(await post('incidents/bulk', { ids: [a], command: 'edit' })).toMatchObject({ status: 422 });
  });
});

describe('all of this', () => {
  it('follows from the events alone: a rebuild makes the same rows of them', async () => {
    const report = await rebuild({ connectionString: store.databaseUrl, checkOnly: true });
    expect(report).toMatchObject({ equal: true, differed: 0 });
    expect(report.incidents).toBeGreaterThan(20);
  });
});
