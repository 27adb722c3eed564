import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { Logger } from '@tocsin/nest-shell';
import { waitFor } from '@tocsin/testing';
import { exportDeliveries } from './export-deliveries.ts';
import { aBatch, anIncidentEvent } from './spec/events.ts';
import { aSubscription, plainKeyRing, SUBSCRIPTION, WORKSPACE } from './spec/harness.ts';
import { commandsOf, finished, installation, logOf } from './spec/installation.ts';

const { receiver, dispatcher } = installation();

const canaries = {
  secret: 'canary-signing-secret-5f2c',
  oldSecret: 'canary-old-secret-91aa',
  header: 'canary-header-value-77b0',
  authorization: 'Bearer canary-token-0c3d',
  cookie: 'canary-cookie-41ee',
};
const sealed = (text: string) => plainKeyRing.seal({} as never, SUBSCRIPTION, text);
const secrets = [
  { id: 'new', sealed: sealed(canaries.secret), notAfter: null },
  { id: 'old', sealed: sealed(canaries.oldSecret), notAfter: '2999-01-01T00:00:00.000Z' },
];
const headers = [
  { name: 'X-Api-Key', sealed: sealed(canaries.header) },
  { name: 'Authorization', sealed: sealed(canaries.authorization) },
];

/** A logger that keeps everything it is told, as it would be written. */
function keeping(): { log: Logger; lines: string[] } {
  const lines: string[] = [];
  const keep = (...parts: unknown[]) => void lines.push(inspect(parts, { depth: 10 }));
  return { lines, log: { info: keep, debug: keep, warn: keep, error: keep } as unknown as Logger };
}

describe('a secret of a subscription', () => {
  it('is on the wire and nowhere else: no log line, fact, row, answer or export holds it', async () => {
    const echo = await receiver(({ headers: sent, body }, response, count) => {
      response.setHeader('set-cookie', canaries.cookie);
      response.setHeader('x-echo', String(sent['x-api-key']));
      if (count === 1) return void response.writeHead(500).end(JSON.stringify({ sent, body }));
      if (count === 2) return void response.socket?.resetAndDestroy();
      response.writeHead(200).end(`${String(sent['authorization'])} ${canaries.secret}`);
    });
    const kept = keeping();
    const documents = [aSubscription({ url: echo.url, secrets, headers, retrySchedule: [0, 0.1, 0.1] })];
    const running = dispatcher(documents, { log: kept.log });
    await running.dispatcher.plan(aBatch(anIncidentEvent('one', 1)));
    await finished(running, 1);
    const { commands } = commandsOf(running, documents);
    const tested = await commands.test(WORKSPACE, SUBSCRIPTION, {});
    expect(echo.received[0]?.headers).toMatchObject({
      'x-api-key': canaries.header,
      authorization: canaries.authorization,
    });

    const dump = await running.pools.pipeline.query<{ row: string }>(
      `select d::text as row from outbound_dispatcher.deliveries d
       union all select a::text from outbound_dispatcher.delivery_attempts a union all select e::text from outbound_dispatcher.endpoints e`,
    );
    const exported: string[] = [];
    for (const format of ['csv', 'json'] as const)
      for await (const part of exportDeliveries(running.pools.rest, { workspaceId: WORKSPACE, limit: 10 }, format))
        exported.push(String(part));
    const everything = [
      ...kept.lines,
      ...dump.rows.map(({ row }) => row),
      ...running.outputs.map(({ value }) => Buffer.from(value).toString('utf8')),
      ...[JSON.stringify(await logOf(running)), JSON.stringify(tested), ...exported],
    ].join('\n');
    expect(everything.includes('"x-api-key":"***"')).toBe(true);
    // A plain answer: what is looked through would fill pages.
    expect(Object.entries(canaries).flatMap(([name, canary]) => (everything.includes(canary) ? [name] : []))).toEqual(
      [],
    );
    expect(everything.includes('canary-')).toBe(false);
  });

  it('that cannot be opened says so without showing anything of it', async () => {
    const { url, received } = await receiver();
    const broken = { id: 'new', sealed: `another row|${canaries.secret}`, notAfter: null };
    const kept = keeping();
    const running = dispatcher([aSubscription({ url, secrets: [broken], retrySchedule: [0] })], { log: kept.log });
    await running.dispatcher.plan(aBatch(anIncidentEvent('one', 1)));
    const log = await waitFor(async () => {
      const all = await logOf(running);
      return all[0]?.status === 'failed' && all;
    });
    expect(log[0]?.attempts[0]).toMatchObject({ reason: 'secret-unreadable', request_headers: {} });
    expect(JSON.stringify(log) + kept.lines.join('')).not.toContain('canary');
    expect(received).toEqual([]);
  });

  it('in an address is not in what a failure says', async () => {
    const kept = keeping();
    const gone = await receiver();
    await gone.close();
    const url = `${gone.url}/canary-in-path?token=canary-in-query`;
    const running = dispatcher([aSubscription({ url, retrySchedule: [0] })], { log: kept.log });
    await running.dispatcher.plan(aBatch(anIncidentEvent('one', 1)));
    const [delivery] = await finished(running, 1);
    expect(delivery).toMatchObject({ status: 'failed', attempts: [{ reason: 'connection-refused' }] });
    const told = running.outputs.map(({ value }) => Buffer.from(value).toString('utf8'));
    expect([JSON.stringify(delivery), ...kept.lines, ...told].join('')).not.toContain('canary');
  });
});
