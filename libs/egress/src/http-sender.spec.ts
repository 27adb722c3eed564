import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { parseAllowList } from '@tocsin/domain/delivery';
import { createSender, type Sender, type SenderOptions } from './http-sender.ts';
import { startReceiver } from './spec/receiver.ts';

const certificate = new URL('./spec/receiver-certificate.pem', import.meta.url);
const key = new URL('./spec/receiver-key.pem', import.meta.url);
const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

function sender(allow: string, options: Partial<SenderOptions> = {}): Sender {
  const made = createSender({ allow: parseAllowList(allow), ...options });
  open.push(() => made.close());
  return made;
}
const post = (one: Sender, url: string) => one.send({ url: new URL(url), headers: {}, body: '{}', timeoutMs: 10_000 });

async function startTlsReceiver(): Promise<number> {
  const server = createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (_request, response) =>
    response.writeHead(200).end('ok'),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(() => new Promise((resolve) => (server.closeAllConnections(), server.close(() => resolve()))));
  return (server.address() as AddressInfo).port;
}

describe('a TLS receiver with a private authority', () => {
  it('is reached with the authority that the administrator gave, and not without', async () => {
    const port = await startTlsReceiver();
    const trusting = sender('127.0.0.1', { caFile: certificate.pathname });
    expect(await post(trusting, `https://127.0.0.1:${port}/`)).toMatchObject({
      kind: 'response',
      status: 200,
      body: 'ok',
    });
    expect(await post(sender('127.0.0.1'), `https://127.0.0.1:${port}/`)).toMatchObject({
      kind: 'no-response',
      reason: 'tls-failed',
    });
  });
});

describe('the connector', () => {
  it('refuses an address literal that is not allowed, for which no name is ever looked up', async () => {
    const { received, url, close } = await startReceiver();
    open.push(close);
    expect(await post(sender(''), url)).toMatchObject({ kind: 'no-response', reason: 'address-not-allowed' });
    expect(received).toEqual([]);
  });

  it('judges each answer of a name that changes where it points', async () => {
    const { received, url, close } = await startReceiver((_request, response) =>
      response.writeHead(204, { connection: 'close' }).end(),
    );
    open.push(close);
    const answers = ['127.0.0.1', '127.0.0.2'];
    const resolve = () => Promise.resolve([{ address: answers.shift() ?? '', family: 4 }]);
    const one = sender('127.0.0.1+http', { resolve });
    const named = `http://rebinding.example:${new URL(url).port}/`;
    expect(await post(one, named)).toMatchObject({ kind: 'response', status: 204 });
    expect(await post(one, named)).toMatchObject({ kind: 'no-response', reason: 'address-not-allowed' });
    expect(received).toHaveLength(1);
  });

  it('is not held by a receiver that drips its headers: the time runs until the last of them', async () => {
    const server = createTcpServer((socket) => {
      const bytes = [
        'HTTP/1.1 200 OK\r\n',
        ...Array.from({ length: 1_000 }, (_, index) => `x-${index}: y\r\n`),
      ].values();
      const drip = setInterval(() => socket.write(bytes.next().value ?? 'x'), 20);
      socket.on('error', () => undefined).on('close', () => clearInterval(drip));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    open.push(() => new Promise((resolve) => server.close(() => resolve())));
    const { port } = server.address() as AddressInfo;
    const url = new URL(`http://127.0.0.1:${port}/`);
    const answer = await sender('127.0.0.1+http').send({ url, headers: {}, body: '{}', timeoutMs: 300 });
    expect(answer).toMatchObject({ kind: 'no-response', reason: 'timeout' });
  });

  it('gives back what is in flight when the process goes down', async () => {
    let arrived: () => void = () => undefined;
    const request = new Promise<void>((resolve) => (arrived = resolve));
    const { url, close } = await startReceiver(() => arrived());
    open.push(close);
    const one = sender('127.0.0.1+http');
    const answer = post(one, url);
    await request;
    one.abort();
    expect(await answer).toEqual({ kind: 'given-back' });
  });
});
