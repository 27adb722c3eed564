import { createServer, connect, type Socket } from 'node:net';
import type { EventLog } from '@tocsin/event-log';
import { freePort } from '@tocsin/testing';
import type { ClientBase, Pool, PoolClient } from 'pg';

/** The process is dead: nothing that it tries from now on has any effect. */
export class Crash extends Error {
  readonly code = 'ECRASH';
}

/** Dies at one step: an await on the database or the log, before the work is sent or after it was done and before the answer. */
export class Mortal {
  steps = 0;
  dead = false;
  private readonly clients = new Set<PoolClient>();

  constructor(private readonly diesAt: number) {}

  private step(): void {
    if (this.dead || ++this.steps === this.diesAt) {
      this.dead = true;
      for (const client of this.clients) this.destroy(client);
      throw new Crash('crashed');
    }
  }

  private async around<T>(work: () => Promise<T>): Promise<T> {
    this.step();
    const result = await work();
    this.step();
    return result;
  }

  pool(pool: Pool): Pool {
    const wrapped = {
      options: pool.options,
      query: (...parameters: Parameters<Pool['query']>) =>
        this.around(() => pool.query(...parameters) as unknown as Promise<unknown>),
      connect: () => this.around(async () => this.client(await pool.connect())),
    };
    return wrapped as unknown as Pool;
  }

  log(log: EventLog): EventLog {
    return { ...methodsOf(log), append: (records) => this.around(() => log.append(records)) };
  }

  /** Its sockets end with a process. */
  private destroy(client: PoolClient): void {
    endSession(client);
    if (this.clients.delete(client)) client.release(true);
  }

  private client(client: PoolClient): PoolClient {
    this.clients.add(client);
    return new Proxy(client, {
      get: (target, name) => {
        if (name === 'query')
          return (...parameters: Parameters<PoolClient['query']>) =>
            this.around(() => target.query(...parameters) as unknown as Promise<unknown>);
        if (name === 'release') {
          return (error?: Error) => {
            if (this.clients.delete(client)) target.release(error);
          };
        }
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? (value as (...parameters: unknown[]) => unknown).bind(target) : value;
      },
    });
  }
}

/** Cuts a connection as a vanished network does. */
export function endSession(client: ClientBase): void {
  (client as unknown as { connection: { stream: Socket } }).connection.stream.destroy();
}

export const methodsOf = (log: EventLog): EventLog => ({
  kind: log.kind,
  append: (records) => log.append(records),
  consume: (options, handler) => log.consume(options, handler),
  offsets: (topic) => log.offsets(topic),
  ensureTopics: (table) => log.ensureTopics(table),
  lag: (group, names) => log.lag(group, names),
  close: () => log.close(),
});

/** Counts the round trips that go through a pool. */
export function counting(pool: Pool): { pool: Pool; statements: string[] } {
  const statements: string[] = [];
  const note = (query: unknown): void =>
    void statements.push(typeof query === 'string' ? query : String((query as { text?: string }).text));
  const wrapped = {
    options: pool.options,
    query: (...parameters: Parameters<Pool['query']>) => {
      note(parameters[0]);
      return pool.query(...parameters);
    },
    connect: async () => {
      const client = await pool.connect();
      return new Proxy(client, {
        get: (target, name) => {
          const value: unknown = Reflect.get(target, name);
          if (typeof value !== 'function') return value;
          return (...parameters: unknown[]): unknown => {
            if (name === 'query') note(parameters[0]);
            return (value as (...all: unknown[]) => unknown).apply(target, parameters);
          };
        },
      });
    },
  };
  return { pool: wrapped as unknown as Pool, statements };
}

export interface TcpProxy {
  url: string;
  /** The next COMMIT reaches the server; its reply does not reach the client. */
  loseNextCommit(): void;
  lost(): number;
  /** Ends every connection and refuses new ones, until `open`. */
  cut(): Promise<void>;
  open(): Promise<void>;
  close(): Promise<void>;
}

/** A TCP proxy in front of the server. */
export async function proxyTo(url: string): Promise<TcpProxy> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  let armed = false;
  let lost = 0;
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    let swallow = false;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket
        .on('error', () => undefined)
        .on('close', () => [client, upstream].forEach((each) => (each.destroy(), sockets.delete(each))));
    }
    client.on('data', (data) => {
      if (armed && data.toString('latin1').includes('commit\0')) {
        armed = false;
        swallow = true;
      }
      upstream.write(data);
    });
    upstream.on('data', (data) => {
      if (!swallow) return client.write(data);
      lost++; // the server has answered: the transaction is committed
      client.destroy();
      return undefined;
    });
  });
  const port = await freePort(); // not one that an outgoing connection may take while the proxy is cut
  const open = async (): Promise<void> => {
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  };
  const cut = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  await open();
  const address = new URL(url);
  address.port = String(port);
  return {
    url: address.href,
    loseNextCommit: () => (armed = true),
    lost: () => lost,
    cut,
    open,
    close: () => (server.listening ? cut() : Promise.resolve()),
  };
}
