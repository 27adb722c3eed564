import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startStore, type RunningStore } from './spec/store.ts';

let store: RunningStore;
/** Titles are unique, so that an answer is read easily. */
const incidents = [
  {
    title: 'Alpha',
    severity: 'critical',
    services: ['checkout'],
    tags: ['env:production', 'team:pay'],
    assignee: 'ada',
  },
  { title: 'Beta', severity: 'low', services: ['search', 'index'], tags: ['env:staging'], source: 'phone, maybe' },
  { title: 'Gamma', severity: 'high', services: ['checkout', 'search'], priority: 'P1', incident_type: 'outage' },
  { title: 'Delta 100% wrong', description: 'half_done', severity: 'medium', tags: ['production'], assignee: 'bob' },
  { title: 'Epsilon', severity: 'critical' },
];
const ids = new Map<string, string>();

beforeAll(async () => {
  store = await startStore('incident-list.int.spec');
  for (const incident of incidents) {
    const { body } = await store.call('POST', 'incidents', incident);
    ids.set(incident.title, String(body['id']));
  }
  await store.call('POST', `incidents/${ids.get('Beta')!}/acknowledge`);
  await store.call('POST', `incidents/${ids.get('Epsilon')!}/merge`, { into: ids.get('Alpha') });
  await store.settle(store.scene.opened('from-webhook', 0));
});
afterAll(() => store.close());

interface List {
  items: { title: string; severity: string; number: number }[];
  next_cursor: string | null;
  counts: { status: Record<string, number>; severity: Record<string, number>; complete: boolean };
  facets?: Record<string, { value: string; count: number }[]>;
}
const list = async (query: string): Promise<List> => {
  const { status, body } = await store.call('GET', `incidents?${query}`);
  if (status !== 200) throw new Error(`${status}: ${JSON.stringify(body)}`);
  return body as never;
};
const titles = async (query: string): Promise<string[]> => (await list(query)).items.map(({ title }) => title);

describe('the list of incidents', () => {
  it.each([
    ['service=checkout', ['Gamma', 'Alpha']],
    ['service=checkout&service=index', ['Gamma', 'Beta', 'Alpha']],
    ['tag=production', ['Delta 100% wrong', 'Alpha']],
    ['tag=env:production', ['Alpha']],
    ['tag=staging&tag=team:pay', ['Beta', 'Alpha']],
    ['source=phone,%20maybe', ['Beta']],
    ['assignee=ada', ['Alpha']],
    ['assignee=none&status=open', ['Alert from-webhook', 'Gamma']],
    ['assignee=bob&assignee=none&severity=medium', ['Delta 100% wrong']],
    ['priority=P1,P2', ['Gamma']],
    ['incident_type=outage', ['Gamma']],
    ['urgency=LOW', ['Delta 100% wrong', 'Beta']],
    ['status=acknowledged', ['Beta']],
    ['merged=true', ['Epsilon']],
    ['merged=false&severity=critical', ['Alpha']],
    ['connector=generic', ['Alert from-webhook']],
    ['text=ELTA', ['Delta 100% wrong']],
    ['text=100%25', ['Delta 100% wrong']],
    ['text=half_d', ['Delta 100% wrong']],
    ['text=halfXd', []],
    ['text=%23', ['Alert from-webhook', 'Epsilon', 'Delta 100% wrong', 'Gamma', 'Beta', 'Alpha']],
    ['from=2999-01-01T00:00:00Z', []],
    ['to=2000-01-01T00:00:00Z', []],
    ['updated_from=2999-01-01T00:00:00Z', []],
    ['service=%00', []],
  ])('finds by %s', async (query, wanted) => {
    const found = await titles(`${query}&sort=-number`);
    expect(found).toEqual(wanted);
  });

  it('finds what came by a webhook, and between two instants', async () => {
    expect(await titles(`webhook=${store.scene.webhookId}`)).toEqual(['Alert from-webhook']);
    const [from, to] = [store.scene.minute(-1), store.scene.minute(1)];
    expect(await titles(`from=${from}&to=${to}`)).toEqual(['Alert from-webhook']);
    expect(await titles(`from=${to}&status=open`)).not.toContain('Alert from-webhook');
  });

  it.each(['-created_at', 'created_at', '-updated_at', 'updated_at', '-severity', 'severity', '-number', 'number'])(
    'is sorted by %s, in pages without a gap or a repeat',
    async (sort) => {
      const { items } = await list(`sort=${sort}&limit=200`);
      const seen: string[] = [];
      for (let cursor = ''; ;) {
        const page = await list(`sort=${sort}&limit=2${cursor}`);
        seen.push(...page.items.map(({ title }) => title));
        if (page.next_cursor === null) break;
        cursor = `&cursor=${page.next_cursor}`;
      }
      expect(seen).toEqual(items.map(({ title }) => title));
      expect(new Set(seen).size).toBe(6);
      const keys = items.map((item) => (sort.endsWith('number') ? item.number : null)).filter((key) => key !== null);
      expect(keys).toEqual(keys.toSorted((a, b) => (sort.startsWith('-') ? b - a : a - b)));
    },
  );

  it('has the worst first', async () => {
    const { items } = await list('sort=-severity');
    expect(items.map(({ severity }) => severity)).toEqual(['critical', 'critical', 'high', 'high', 'medium', 'low']);
  });

  it('refuses a cursor of another order, an unknown sort and facet, and a flag that is none', async () => {
    const { next_cursor } = await list('sort=-severity&limit=1');
    for (const query of [`sort=severity&cursor=${next_cursor}`, 'sort=title', 'facets=everything', 'merged=perhaps'])
      expect(await store.call('GET', `incidents?${query}`)).toMatchObject({
        status: 422,
        body: { code: 'validation-failed' },
      });
  });

  it('counts by status and by severity, each with the other filters', async () => {
    expect((await list('limit=1')).counts).toEqual({
      status: { open: 4, acknowledged: 1, snoozed: 0, suppressed: 0, resolved: 1 },
      severity: { critical: 2, high: 2, medium: 1, low: 1, info: 0 },
      complete: true,
    });
    expect((await list('status=open&severity=critical')).counts).toMatchObject({
      status: { open: 1, acknowledged: 0, resolved: 1 },
      severity: { critical: 1, high: 2, medium: 1, low: 0 },
    });
    expect((await list('service=search')).counts).toMatchObject({ status: { open: 1, acknowledged: 1, resolved: 0 } });
  });

  it('counts what is open as it is, whatever becomes of an incident', async () => {
    const differing = `(select incident_id, status, severity from incident_store.incidents where status <> 'resolved'
        except select incident_id, status, severity from incident_store.open_incidents)
      union all (select incident_id, status, severity from incident_store.open_incidents
        except select incident_id, status, severity from incident_store.incidents where status <> 'resolved')`;
    const id = await store.open('rcv_counted');
    const open = async () => (await list('limit=1')).counts.status;
    const before = await open();
    for (const [command, body, change] of [
      ['acknowledge', {}, { open: -1, acknowledged: 1 }],
      ['suppress', {}, { open: -1, suppressed: 1 }],
      ['resolve', {}, { open: -1, resolved: 1 }],
      ['reopen', {}, {}],
    ] as const) {
      expect((await store.call('POST', `incidents/${id}/${command}`, body)).status).toBe(200);
      const expected = { ...before };
      for (const [status, by] of Object.entries(change)) expected[status] = (expected[status] ?? 0) + by;
      expect(await open()).toEqual(expected);
      expect((await store.pools.pipeline.query(differing)).rows).toEqual([]);
    }
    const severity = (await list('limit=1')).counts.severity;
    await store.call('PATCH', `incidents/${id}`, { severity: 'info' });
    expect((await list('limit=1')).counts.severity['info']).toBe((severity['info'] ?? 0) + 1);
    expect((await store.pools.pipeline.query(differing)).rows).toEqual([]);
    await store.pools.pipeline.query('delete from incident_store.incidents where incident_id = $1', [id]);
    expect((await store.pools.pipeline.query(differing)).rows).toEqual([]);
  });

  it('offers the most frequent values of fields among what fits', async () => {
    const { facets } = await list('facets=service,tag,assignee,connector&status=open,acknowledged');
    expect(facets).toEqual({
      service: [
        { value: 'checkout', count: 2 },
        { value: 'search', count: 2 },
        { value: 'index', count: 1 },
        { value: 'orders', count: 1 },
      ],
      tag: expect.arrayContaining([{ value: 'env:production', count: 1 }]) as unknown,
      assignee: [
        { value: 'ada', count: 1 },
        { value: 'bob', count: 1 },
      ],
      connector: [{ value: 'generic', count: 1 }],
    });
    expect(await list('limit=1')).not.toHaveProperty('facets');
  });

  it('is another workspace’s own', async () => {
    const { body } = await store.asStranger('GET', 'incidents?facets=service');
    expect(body).toMatchObject({ items: [], counts: { status: { open: 0 } }, facets: { service: [] } });
  });
});
