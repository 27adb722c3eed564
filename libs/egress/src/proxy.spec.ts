import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { parseAllowList } from '@tocsin/domain/delivery';
import { createSender, type Sender, type SenderOptions } from './http-sender.ts';
import { readProxy } from './proxy-tunnel.ts';
import { startConnectProxy } from './spec/connect-proxy.ts';
import { startReceiver } from './spec/receiver.ts';

const certificate = new URL('./spec/receiver-certificate.pem', import.meta.url);
const key = new URL('./spec/receiver-key.pem', import.meta.url);
const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

function sender(allow: string, options: Partial<SenderOptions>): Sender {
  const made = createSender({ allow: parseAllowList(allow), ...options });
  open.push(() => made.close());
  return made;
}
const post = (one: Sender, url: string) => one.send({ url: new URL(url), headers: {}, body: '{}', timeoutMs: 10_000 });
const loopback = '127.0.0.1+http';

async function proxied(statusOf?: (target: string) => number) {
  const proxy = await startConnectProxy(statusOf);
  open.push(proxy.close);
  return proxy;
}
async function receiver() {
  const started = await startReceiver();
  open.push(started.close);
  return started;
}

describe('an egress proxy', () => {
  it('is asked for the address that was judged, with its credential, and carries plain http and TLS', async () => {
    const proxy = await proxied();
    const plain = await receiver();
    const secure = createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (_request, response) =>
      response.end('ok'),
    );
    await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
    open.push(() => new Promise((resolve) => (secure.closeAllConnections(), secure.close(() => resolve()))));
    const { port } = secure.address() as AddressInfo;
    const one = sender(loopback, {
      proxy: readProxy(proxy.url.replace('http://', 'http://egress:p%40ss@')),
      caFile: certificate.pathname,
      resolve: () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]),
    });
    expect(await post(one, plain.url.replace('127.0.0.1', 'named.example'))).toMatchObject({
      kind: 'response',
      status: 204,
    });
    expect(await post(one, `https://127.0.0.1:${port}/`)).toMatchObject({ kind: 'response', status: 200, body: 'ok' });
    const authorization = `Basic ${Buffer.from('egress:p@ss').toString('base64')}`;
    expect(proxy.asked).toEqual([
      { target: `127.0.0.1:${new URL(plain.url).port}`, authorization },
      { target: `127.0.0.1:${port}`, authorization },
    ]);
    expect(plain.received).toHaveLength(1);
    expect(plain.received[0]?.headers).not.toHaveProperty('proxy-authorization');
  });

  it('is not asked for an address that is not allowed, by literal or by name', async () => {
    const proxy = await proxied();
    const { url, received } = await receiver();
    const one = sender('', {
      proxy: readProxy(proxy.url),
      resolve: () => Promise.resolve([{ address: '169.254.169.254', family: 4 }]),
    });
    for (const target of [url, 'https://metadata.example/', 'https://[::1]/', 'https://[::ffff:127.0.0.1]/'])
      expect(await post(one, target)).toMatchObject({ kind: 'no-response', reason: 'address-not-allowed' });
    expect(proxy.asked).toEqual([]);
    expect(received).toEqual([]);
  });

  it.each([
    [403, 'address-not-allowed'],
    [407, 'proxy-failed'],
    [500, 'proxy-failed'],
    [502, 'connection-failed'],
    [504, 'connection-failed'],
  ])('that answers %i is told apart from a receiver that fails: %s', async (status, reason) => {
    const proxy = await proxied(() => status);
    const { url, received } = await receiver();
    expect(await post(sender(loopback, { proxy: readProxy(proxy.url) }), url)).toMatchObject({
      kind: 'no-response',
      reason,
    });
    expect(received).toEqual([]);
  });

  it('that is away is no failure of the receiver, and its credential is in no error', async () => {
    const proxy = await startConnectProxy();
    await proxy.close();
    const { url } = await receiver();
    const one = sender(loopback, { proxy: readProxy(proxy.url.replace('http://', 'http://egress:canary-secret@')) });
    const answer = await post(one, url);
    expect(answer).toMatchObject({ kind: 'no-response', reason: 'proxy-failed' });
    expect(JSON.stringify(answer)).not.toContain('canary-secret');
  });
});

describe('OUTBOUND_PROXY', () => {
  it.each(['proxy:3128', 'socks5://proxy:1080', 'http://', 'http://proxy/path', 'http://proxy?x=1', 'nonsense'])(
    'cannot be read as %j',
    (text) => expect(() => readProxy(text)).toThrow('OUTBOUND_PROXY'),
  );

  it('has the default port of its scheme and may be an IPv6 address', () => {
    expect(readProxy('http://[::1]')).toEqual({ host: '::1', port: 80, tls: false, authorization: undefined });
    expect(readProxy('https://proxy.example')).toMatchObject({ port: 443, tls: true });
  });

  it('repeats no credential when it is wrong', () =>
    expect(() => readProxy('http://user:canary-secret@proxy/path')).toThrow(/^(?!.*canary-secret)/));
});
