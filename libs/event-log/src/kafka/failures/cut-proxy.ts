import { connect, createServer, type Server, type Socket } from 'node:net';

const PRODUCE = 0;

/**
 * A TCP proxy in front of a broker that can lose acknowledgements: it forwards a Produce request and, when the broker
 * answers, cuts the connection instead of passing the answer on. It names itself in the broker's answers, so that
 * clients stay with it.
 */
export class CutProxy {
  cuts = 0;
  private cutting = false;
  private readonly sockets = new Set<Socket>();
  private readonly server: Server;
  private port = 0;

  constructor(private readonly broker: { host: string; port: number }) {
    this.server = createServer((client) => this.join(client));
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    const address = this.server.address();
    this.port = typeof address === 'object' && address ? address.port : 0;
    return `127.0.0.1:${this.port}`;
  }

  /** The next acknowledgement of a Produce request is lost. */
  cutNext(): void {
    this.cutting = true;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private join(client: Socket): void {
    const broker = connect(this.broker);
    let cutAnswer = false;
    for (const socket of [client, broker]) {
      this.sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.sockets.delete(socket);
        client.destroy();
        broker.destroy();
      });
    }
    client.on('data', (request: Buffer) => {
      // A request begins with its size and its API key; a later part of one is never mistaken as long as one is under way.
      if (this.cutting && request.length > 6 && request.readInt16BE(4) === PRODUCE) {
        this.cutting = false;
        cutAnswer = true;
      }
      broker.write(request);
    });
    broker.on('data', (answer: Buffer) => {
      if (cutAnswer) {
        this.cuts++;
        client.destroy();
      } else client.write(this.named(answer));
    });
  }

  /** Puts our port where the answer names the broker's: text length, host, port. */
  private named(answer: Buffer): Buffer {
    const pattern = this.address(this.broker.port);
    for (let at = answer.indexOf(pattern); at >= 0; at = answer.indexOf(pattern, at + pattern.length))
      this.address(this.port).copy(answer, at);
    return answer;
  }

  private address(port: number): Buffer {
    const host = Buffer.from(this.broker.host);
    const bytes = Buffer.alloc(2 + host.length + 4);
    bytes.writeInt16BE(host.length, 0);
    host.copy(bytes, 2);
    bytes.writeInt32BE(port, 2 + host.length);
    return bytes;
  }
}
