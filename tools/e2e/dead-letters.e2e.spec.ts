import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '@tocsin/postgres/embedded';
import { waitFor } from '@tocsin/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client, type MadeWebhook } from './client.ts';
import { allInOneSite } from './sites.ts';

let site: Awaited<ReturnType<typeof allInOneSite>>;
let client: Client;
beforeAll(async () => {
  site = await allInOneSite();
  client = new Client(site);
});
afterAll(() => site.remove());

interface Letter {
  id: string;
  reason: string;
  status: string;
  receipt_id: string;
  parts: number[] | null;
}
interface Incident {
  id: string;
  title: string;
  webhook_occurrence_count: number;
}

/** A webhook that somebody made for the wrong platform. */
const wrongWebhook = (name: string) =>
  client.make<MadeWebhook>('/api/v1/webhooks', { name, connector: 'prometheus', auth: { method: 'bearer' } });
const send = (webhook: MadeWebhook, payload: unknown) => client.bearer(webhook, payload, { prefer: 'respond-async' });
const lettersOf = async (webhook: MadeWebhook, count: number) =>
  waitFor(
    async () => {
      const { items } = await client.get<{ items: Letter[] }>(`/api/v1/dead-letters?webhook_id=${webhook.id}`);
      return items.length >= count && items;
    },
    { timeoutMs: 30_000, what: `${count} dead letters` },
  );
const mend = async (webhook: MadeWebhook) =>
  expect((await client.api('PATCH', `/api/v1/webhooks/${webhook.id}`, { connector: 'generic' })).status).toBe(200);
const redrive = async (id: string) =>
  (await client.api<{ items: { result: string }[] }>('POST', '/api/v1/dead-letters/redrive', { ids: [id] })).body
    .items[0]?.result;
const incidentsOf = async (webhook: MadeWebhook) =>
  (await client.get<{ items: Incident[] }>(`/api/v1/incidents?webhook=${webhook.id}`)).items;
const opened = (webhook: MadeWebhook) =>
  waitFor(async () => (await incidentsOf(webhook))[0], { timeoutMs: 30_000, what: 'the incident' });

/** Everything that was sent before this has had its effect: one webhook's receipts are handled in order. */
async function afterAllOf(webhook: MadeWebhook): Promise<void> {
  const { status } = await client.bearer(webhook, { title: 'last of all', dedup_key: 'last' });
  expect(status).toBe(200);
}

describe('a payload that no connector could read', () => {
  it('is listed with its reason, and becomes its alert once the webhook is mended; twice is once', async () => {
    const webhook = await wrongWebhook('one');
    const { body } = await send(webhook, { title: 'Disk full', service: 'db' });
    const [letter] = await lettersOf(webhook, 1);
    expect(letter).toMatchObject({ reason: 'unrecognised-payload', status: 'open', receipt_id: body.receipt_id });
    await mend(webhook);
    expect(await redrive(letter!.id)).toBe('redriven');
    const incident = await opened(webhook);
    expect(incident).toMatchObject({ title: 'Disk full', webhook_occurrence_count: 1 });
    expect(await redrive(letter!.id)).toBe('already-redriven');
    await afterAllOf(webhook);
    expect(await client.get(`/api/v1/incidents/${incident.id}`)).toMatchObject({ webhook_occurrence_count: 1 });
    const receipt = await client.get<{ status: string }>(`/api/v1/receipts/${letter!.receipt_id}`);
    expect(receipt.status).toBe('created');
  });

  it('is a new letter where it cannot be read again', async () => {
    const webhook = await wrongWebhook('two');
    await send(webhook, { title: 'x' });
    const [first] = await lettersOf(webhook, 1);
    expect(await redrive(first!.id)).toBe('redriven');
    const both = await lettersOf(webhook, 2);
    expect(both.map(({ status }) => status).sort()).toEqual(['open', 'redriven']);
    expect(new Set(both.map(({ receipt_id: id }) => id)).size).toBe(1);
  });

  it('is read again alone, beside elements that were fine', async () => {
    const webhook = await client.make<MadeWebhook>('/api/v1/webhooks', { name: 'parts', connector: 'generic' });
    const { body } = await client.bearer(webhook, [{ title: 'A', dedup_key: 'a' }, 7, { title: 'C', dedup_key: 'c' }]);
    expect(body.alerts.map(({ outcome }) => outcome).sort()).toEqual(['created', 'created', 'dead-lettered'].sort());
    const [letter] = await lettersOf(webhook, 1);
    expect(letter!.parts).toEqual([1]);
    expect(await redrive(letter!.id)).toBe('redriven');
    expect((await lettersOf(webhook, 2)).map(({ parts }) => parts)).toEqual([[1], [1]]);
    await afterAllOf(webhook);
    const counts = (await incidentsOf(webhook)).map(({ webhook_occurrence_count: count }) => count);
    expect(counts.every((count) => count === 1)).toBe(true);
  });
});

describe('tocsin dlq', () => {
  it('lists and redrives as an operator does', async () => {
    const webhook = await wrongWebhook('by hand');
    await send(webhook, { title: 'By hand' });
    const [letter] = await lettersOf(webhook, 1);
    await mend(webhook);
    const bin = fileURLToPath(new URL('../../apps/cli/bin/tocsin.js', import.meta.url));
    const tocsin = async (...args: string[]) => {
      const env = { ...process.env, TOCSIN_URL: site.url, TOCSIN_API_KEY: site.apiKey };
      return (await promisify(execFile)(process.execPath, [bin, 'dlq', ...args], { env })).stdout;
    };
    expect(await tocsin('list', '--webhook', webhook.id)).toContain(`${letter!.id}  `);
    expect(await tocsin('show', letter!.id)).toContain('{"title":"By hand"}');
    expect(await tocsin('redrive', '--webhook', webhook.id)).toContain('1 of 1 redriven');
    expect(await tocsin('redrive', letter!.id)).toContain('already-redriven');
    expect(await opened(webhook)).toMatchObject({ title: 'By hand', webhook_occurrence_count: 1 });
  });
});

describe('kill -9 between a redrive and its record', () => {
  /** Takes the publisher's place of the control-plane, so that what is committed stays in the outbox. */
  async function holdPublisher(): Promise<pg.Client> {
    const { connectionString } = await startEmbeddedPostgres({ directory: join(site.directory, 'data', 'postgres') });
    const holder = new pg.Client({ connectionString });
    await holder.connect();
    const key = `hashtextextended('tocsin.control_plane_outbox', 0)`;
    const taken = holder.query(`select pg_advisory_lock(${key})`);
    const other = new pg.Client({ connectionString });
    await other.connect();
    const waiting = `select pid, granted from pg_locks where locktype = 'advisory'
      and ((classid::bigint << 32) | objid::bigint) = ${key}`;
    await waitFor(
      async () => {
        const { rows } = await other.query<{ pid: number; granted: boolean }>(waiting);
        return rows.some(({ granted }) => !granted) && rows.some(({ granted }) => granted);
      },
      { timeoutMs: 10_000, what: 'a publisher, and one who waits for its place' },
    );
    await other.query(`select pg_terminate_backend(pid) from (${waiting}) as l where granted`);
    await taken;
    await other.end();
    return holder;
  }

  it('ends with exactly one', async () => {
    const webhook = await wrongWebhook('killed');
    await send(webhook, { title: 'Survives' });
    const [letter] = await lettersOf(webhook, 1);
    await mend(webhook);
    const holder = await holdPublisher();
    expect(await redrive(letter!.id)).toBe('redriven');
    const { rows } = await holder.query('select topic from control_plane.outbox');
    expect(rows).toEqual([{ topic: 'webhook.received' }]);
    expect(site.process.kill('SIGKILL')).toBe(true);
    await site.process.exit();
    await holder.end();
    site.process.start();
    await site.process.ready(site.url);
    expect(await redrive(letter!.id)).toBe('already-redriven');
    const incident = await opened(webhook);
    await afterAllOf(webhook);
    expect(await client.get(`/api/v1/incidents/${incident.id}`)).toMatchObject({
      title: 'Survives',
      webhook_occurrence_count: 1,
    });
    expect((await incidentsOf(webhook)).filter(({ title }) => title === 'Survives')).toHaveLength(1);
  });
});
