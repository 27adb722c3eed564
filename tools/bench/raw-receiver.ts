import { createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

export interface RawReceiver {
  port: number;
  /** Requests that were read to their end. */
  count(): number;
  /** Called with the event's id when the first byte of its request is here, in ms of `performance.now`. */
  onEvent(listener: ((eventId: string, at: number) => void) | undefined): void;
  close(): Promise<void>;
}

const ANSWER = Buffer.from('HTTP/1.1 204 No Content\r\n\r\n');

/**
 * The cheapest receiver that is one: keeps connections, reads requests with a Content-Length, answers 204. Paths below `/hang` are never answered.
 * A framework would cost more than what is measured.
 */
export async function startRawReceiver(): Promise<RawReceiver> {
  let answered = 0;
  let listener: ((eventId: string, at: number) => void) | undefined;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    let pending = '';
    let firstByteAt = 0;
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk) => {
      if (pending === '') firstByteAt = performance.now();
      pending += chunk.toString('latin1');
      for (;;) {
        const end = pending.indexOf('\r\n\r\n');
        if (end < 0) return;
        const head = pending.slice(0, end);
        const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
        if (pending.length < end + 4 + length) return;
        pending = pending.slice(end + 4 + length);
        if (head.startsWith('POST /hang')) continue;
        answered += 1;
        listener?.(/\r\nwebhook-id: ([^\r]+)/i.exec(head)?.[1] ?? '', firstByteAt);
        firstByteAt = performance.now();
        socket.write(ANSWER);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    count: () => answered,
    onEvent: (next) => void (listener = next),
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
