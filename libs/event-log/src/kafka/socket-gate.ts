import { connect as connectTcp, isIP, Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ISocketFactory } from 'kafkajs';

const KEEP_ALIVE_MS = 60_000;

/**
 * Makes the sockets of one kafkajs client: without Nagle's delay, and closed for good when the client is thrown away,
 * so that a send that it still tries again cannot overtake what its successor sends.
 */
export class SocketGate {
  private readonly sockets = new Set<Socket>();
  private closed = false;

  readonly factory: ISocketFactory = ({ host, port, ssl, onConnect }) => {
    if (this.closed) return this.refused();
    const socket = ssl
      ? connectTls({ host, port, ...(isIP(host) ? {} : { servername: host }), ...ssl }, onConnect)
      : connectTcp({ host, port }, onConnect);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    return socket;
  };

  close(): void {
    this.closed = true;
    for (const socket of this.sockets) socket.destroy();
  }

  private refused(): Socket {
    const socket = new Socket();
    socket.destroy(new Error('this Kafka client has been closed'));
    return socket;
  }
}
