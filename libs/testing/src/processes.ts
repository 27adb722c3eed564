import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { services, type ServiceName } from '@tocsin/contracts';
import { freePort } from './free-port.ts';
import { waitFor } from './wait-for.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const READY_MS = 60_000;
const EXIT_MS = 40_000;
/** Characters of a dead process's log that its failure quotes. */
const LOG_SHOWN = 3_000;

export interface AppOptions {
  /** Folder under `apps/`. */
  app: string;
  /** What its log file is called; default: the app's name. */
  name?: string;
  environment: Record<string, string>;
  /** Where its output goes: `<directory>/<app>.log`. */
  logDirectory: string;
  /** Further arguments of node, before the entry file. */
  nodeArguments?: string[];
}

/** One real process of ours, started from its build, known by the pid that we started. */
export class AppProcess {
  private child: ChildProcess | undefined;
  private exited: Promise<number | NodeJS.Signals> = Promise.resolve(0);
  private signalled = false;

  constructor(private readonly options: AppOptions) {
    mkdirSync(options.logDirectory, { recursive: true });
  }

  get pid(): number | undefined {
    return this.alive ? this.child?.pid : undefined;
  }

  get alive(): boolean {
    return this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Where it serves HTTP, and where its health. */
  get url(): string {
    return `http://127.0.0.1:${this.options.environment['PORT']}`;
  }

  get adminUrl(): string {
    return `http://127.0.0.1:${this.options.environment['ADMIN_PORT']}`;
  }

  get logFile(): string {
    return join(this.options.logDirectory, `${this.options.name ?? this.options.app}.log`);
  }

  start(): void {
    if (this.alive) throw new Error(`${this.options.app} runs already`);
    const { app, environment, nodeArguments = [] } = this.options;
    const child = spawn(process.execPath, [...nodeArguments, join(root, 'apps', app, 'dist', 'main.js')], {
      cwd: root,
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: process.env['HOME'] ?? '',
        NODE_OPTIONS: '--disable-warning=TimeoutNegativeWarning',
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const log = createWriteStream(this.logFile, { flags: 'a' });
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    this.child = child;
    this.signalled = false;
    this.exited = new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal ?? 0)));
  }

  /** Whether the signal reached a live process. */
  kill(signal: NodeJS.Signals): boolean {
    this.signalled ||= this.alive;
    return this.alive && this.child !== undefined && this.child.kill(signal);
  }

  exit(): Promise<number | NodeJS.Signals> {
    return this.exited;
  }

  /** SIGTERM, and SIGKILL when it does not end in time. Resolves with how it ended. */
  async stop(): Promise<number | NodeJS.Signals> {
    if (!this.alive) return this.exited;
    this.kill('SIGTERM');
    const hard = setTimeout(() => this.kill('SIGKILL'), EXIT_MS);
    return this.exited.finally(() => clearTimeout(hard));
  }

  /** Waits until `/health/ready` of the given base URL answers 200. Rejects with the end of its log when it ends instead. */
  async ready(baseUrl: string): Promise<void> {
    const answers = waitFor(async () => !this.alive || (await fetch(`${baseUrl}/health/ready`)).ok, {
      timeoutMs: READY_MS,
      what: `${this.options.app} ready at ${baseUrl}`,
    });
    await Promise.race([answers, this.exited]);
    if (!this.alive) throw this.ended();
  }

  /** @throws with the end of its log when it ended although nobody here sent it a signal: whoever asks it next would only see a refused connection. */
  assertNotCrashed(): void {
    if (this.child && !this.alive && !this.signalled) throw this.ended();
  }

  private ended(): Error {
    const { exitCode, signalCode } = this.child ?? {};
    const log = readFileSync(this.logFile, 'utf8').slice(-LOG_SHOWN);
    return new Error(`${this.options.app} ended (${exitCode ?? signalCode}): ${log}`);
  }
}

export interface SplitOptions {
  databaseUrl: string;
  brokers: string[];
  prefix: string;
  /** Folder for logs and for the data directories of the processes. */
  directory: string;
  keyRing: string;
  pepper: string;
  bootstrapApiKey: string;
  outboundAllow?: string;
  environment?: Record<string, string>;
  nodeArguments?: Partial<Record<ServiceName, string[]>>;
}

/** The split form: seven processes on a real broker and a real database. */
export class Split {
  readonly processes = new Map<ServiceName, AppProcess>();
  readonly urls = new Map<ServiceName, string>();
  private readonly adminUrls = new Map<ServiceName, string>();
  private readonly replicas: AppProcess[] = [];

  private constructor(private readonly options: SplitOptions) {}

  static async start(options: SplitOptions): Promise<Split> {
    const split = new Split(options);
    // The control-plane first: its schema holds the configuration that everybody else waits for.
    for (const service of ['control-plane', ...services.filter((name) => name !== 'control-plane')] as ServiceName[]) {
      const { process, url, adminUrl } = await split.prepare(service);
      split.processes.set(service, process);
      split.urls.set(service, url);
      split.adminUrls.set(service, adminUrl);
    }
    for (const app of split.processes.values()) app.start();
    try {
      await split.ready();
    } catch (error) {
      await split.stop(); // whoever called has no handle to do it
      throw error;
    }
    return split;
  }

  /** Where it serves HTTP. @throws when it crashed. */
  url(service: ServiceName): string {
    this.process(service).assertNotCrashed();
    const url = this.urls.get(service);
    if (!url) throw new Error(`${service} is not part of this split`);
    return url;
  }

  process(service: ServiceName): AppProcess {
    const app = this.processes.get(service);
    if (!app) throw new Error(`${service} is not part of this split`);
    return app;
  }

  async ready(names: readonly ServiceName[] = [...this.processes.keys()]): Promise<void> {
    await Promise.all(names.map((name) => this.process(name).ready(this.adminUrls.get(name) ?? '')));
  }

  /** A second process of a service, started now, on ports of its own; it shares the consumer group and the schema. */
  async replica(service: ServiceName): Promise<AppProcess> {
    const { process, adminUrl } = await this.prepare(service, `${service}-replica`);
    this.replicas.push(process);
    process.start();
    await process.ready(adminUrl);
    return process;
  }

  /** How each of the seven ended; replicas are stopped, too. */
  async stop(): Promise<Map<ServiceName, number | NodeJS.Signals>> {
    const ends = await Promise.all([...this.processes].map(async ([name, app]) => [name, await app.stop()] as const));
    await Promise.all(this.replicas.map((replica) => replica.stop()));
    return new Map(ends);
  }

  private async prepare(service: ServiceName, name: string = service) {
    const { options } = this;
    const [port, adminPort] = [await freePort(), await freePort()];
    const process = new AppProcess({
      app: service,
      name,
      logDirectory: options.directory,
      ...(options.nodeArguments?.[service] ? { nodeArguments: options.nodeArguments[service] } : {}),
      environment: {
        HOST: '127.0.0.1',
        PORT: String(port),
        ADMIN_PORT: String(adminPort),
        DATABASE_URL: options.databaseUrl,
        KAFKA_BROKERS: options.brokers.join(','),
        TOPIC_PREFIX: options.prefix,
        TOCSIN_KEY_RING: options.keyRing,
        TOCSIN_API_KEY_PEPPER: options.pepper,
        TOCSIN_BOOTSTRAP_API_KEY: options.bootstrapApiKey,
        TOCSIN_DATA_DIR: join(options.directory, 'data', name),
        TOCSIN_PUBLIC_URL: 'http://127.0.0.1:8080',
        ...(options.outboundAllow ? { OUTBOUND_ALLOW: options.outboundAllow } : {}),
        ...options.environment,
      },
    });
    return { process, url: `http://127.0.0.1:${port}`, adminUrl: `http://127.0.0.1:${adminPort}` };
  }
}
