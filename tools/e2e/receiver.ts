import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
  json: {
    id: string;
    type: string;
    timestamp: string;
    workspace_id: string;
    data: Record<string, unknown> & { id: string };
  };
}

/** A real HTTP receiver on loopback that keeps what it got, in the order of arrival. */
export class Receiver {
  readonly received: Received[] = [];
  readonly url: string;
  private readonly server: Server;

  private constructor(server: Server, url: string) {
    this.server = server;
    this.url = url;
  }

  static async start(status: () => number = () => 204): Promise<Receiver> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const receiver = new Receiver(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const code = status();
        const body = Buffer.concat(chunks);
        if (code < 300) {
          const json = JSON.parse(body.toString()) as Received['json'];
          receiver.received.push({ path: request.url ?? '', headers: request.headers, body, json });
        }
        response.writeHead(code).end();
      });
    });
    return receiver;
  }

  of(incidentId: string): Received[] {
    return this.received.filter(({ json }) => json.data.id === incidentId);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
