import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, createWriteStream } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';
import { freePort, waitFor } from '@tocsin/testing';

/** The two programs as Debian names them. */
export const programs = ['prometheus', 'prometheus-alertmanager'] as const;
export type Program = (typeof programs)[number];

/** Where a program is by PATH; undefined where it is not installed. */
export function pathOf(program: Program): string | undefined {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, program);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // the next folder
    }
  }
  return undefined;
}

interface Start {
  program: Program;
  directory: string;
  /** Text of its configuration; JSON is YAML. */
  configuration: unknown;
  flags: (parts: { port: number; file: string; data: string }) => string[];
}

/** One real Prometheus or Alertmanager on loopback, with everything that it writes in a folder of the test. */
export class MonitoringServer {
  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
    private readonly logFile: string,
  ) {}

  static async start({ program, directory, configuration, flags }: Start): Promise<MonitoringServer> {
    const folder = join(directory, program);
    const data = join(folder, 'data');
    await mkdir(data, { recursive: true });
    const file = join(folder, 'configuration.yml');
    await writeFile(file, JSON.stringify(configuration, null, 2));
    const port = await freePort();
    const logFile = join(folder, 'log');
    const path = pathOf(program);
    if (path === undefined) throw new Error(`${program} is not installed`);
    const child = spawn(path, flags({ port, file, data }), { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    const log = createWriteStream(logFile);
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    const server = new MonitoringServer(child, port, logFile);
    await server.ready();
    return server;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  log = (): Promise<string> => readFile(this.logFile, 'utf8');

  /** The sum of one of its own metrics over the series whose labels match; undefined while there is none. */
  async metric(name: string, labels: RegExp = /./): Promise<number | undefined> {
    const response = await fetch(`http://${this.address}/metrics`);
    const found = (await response.text())
      .split('\n')
      .map((line) => /^(\w+)(\{.*\})? (\S+)$/.exec(line))
      .filter((match) => match?.[1] === name && labels.test(match[2] ?? '{}'))
      .map((match) => Number(match?.[3]));
    return found.length === 0 ? undefined : found.reduce((sum, value) => sum + value, 0);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await exited;
  }

  private async ready(): Promise<void> {
    const probe = async () => {
      if (this.child.exitCode !== null) return 'ended' as const;
      return (await fetch(`http://${this.address}/-/ready`)).ok && ('ready' as const);
    };
    const state = await waitFor(probe, { timeoutMs: 60_000, what: 'ready' }).catch(() => 'late' as const);
    if (state === 'ready') return;
    await this.stop();
    throw new Error(`${this.child.spawnfile} is ${state}; it said:\n${await this.log()}`);
  }
}

/** What the Prometheus of a test scrapes: one queue whose length the test sets. */
export class Queue {
  length = 0;
  private constructor(
    private readonly server: Server,
    readonly address: string,
  ) {}

  static async start(): Promise<Queue> {
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' });
      response.end(`# TYPE queue_length gauge\nqueue_length{namespace="shop",pod="cart-1"} ${queue.length}\n`);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const queue = new Queue(server, `127.0.0.1:${(server.address() as AddressInfo).port}`);
    return queue;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
