import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '../free-port.ts';
import { brokerJars, CACHE, findJava } from './jars.ts';
import { serverProperties } from './server-properties.ts';

const run = promisify(execFile);
const HOST = '127.0.0.1';
const READY_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 15_000;
const CLUSTER_ID = '4L6g3nShT-eMCtK--X86sw';
const QUIET = '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn';

export interface KafkaBrokerOptions {
  /** Where the broker keeps its data; made when it is not there, kept when it is. */
  directory: string;
  /** Default: any free one. */
  port?: number;
  /** Default: downloaded once into .cache/kafka. */
  jarsDirectory?: string;
}

/** A broker of our own: one node, loopback only. */
export interface KafkaBroker {
  brokers: string[];
  /** Of the running process; another one after `restart`. */
  readonly pid: number;
  /** SIGKILL. Resolves when the process is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same port and data. Resolves when it answers; takes about 5 s after a kill. */
  restart(): Promise<void>;
  /** SIGTERM. Resolves when the process is gone; the data stays. */
  stop(): Promise<void>;
}

/** Starts a Kafka broker with the local Java. Resolves when it accepts clients (1–2 s). */
export async function startKafkaBroker(options: KafkaBrokerOptions): Promise<KafkaBroker> {
  const java = await findJava();
  if (!java) throw new Error('a Kafka broker for tests needs Java 17 or newer');
  const jars = options.jarsDirectory ?? (await brokerJars());
  const port = options.port ?? (await freePort());
  const properties = join(options.directory, 'server.properties');
  const data = join(options.directory, 'data');
  await mkdir(options.directory, { recursive: true });
  await writeFile(properties, serverProperties({ host: HOST, port, controllerPort: await freePort(), data }));
  if (!existsSync(data)) await format(java, jars, data);
  let child = await start(java, jars, properties, port);
  return {
    brokers: [`${HOST}:${port}`],
    get pid() {
      return child.pid!;
    },
    kill: () => end(child, 'SIGKILL'),
    stop: () => end(child, 'SIGTERM'),
    restart: async () => {
      await end(child, 'SIGKILL');
      child = await start(java, jars, properties, port);
    },
  };
}

/** Formatting takes a JVM 0.7 s; a copy of a formatted directory takes a millisecond. */
async function format(java: string, jars: string, data: string): Promise<void> {
  const template = join(CACHE, 'formatted');
  if (!existsSync(template)) {
    const temporary = `${template}.${process.pid}`;
    await mkdir(temporary, { recursive: true });
    const properties = join(temporary, 'server.properties');
    const part = join(temporary, 'data');
    await writeFile(properties, serverProperties({ host: HOST, port: 19092, controllerPort: 19093, data: part }));
    await run(java, [
      '-XX:TieredStopAtLevel=1',
      '-XX:+UseSerialGC',
      QUIET,
      '-cp',
      `${jars}/*`,
      'kafka.tools.StorageTool',
      'format',
      '--standalone',
      '-t',
      CLUSTER_ID,
      '-c',
      properties,
    ]);
    await rename(part, template).catch(() => undefined); // another process was faster
    await rm(temporary, { recursive: true, force: true });
  }
  await cp(template, data, { recursive: true });
}

async function start(java: string, jars: string, properties: string, port: number): Promise<ChildProcess> {
  const flags = ['-Xms128m', '-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', QUIET];
  const child = spawn(java, [...flags, '-cp', `${jars}/*`, 'kafka.Kafka', properties], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4_000)));
  child.on('error', (error) => (said += error.message));
  const deadline = Date.now() + READY_WITHIN_MS;
  while (!(await accepts(port))) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`the Kafka broker ended at start:\n${said}`);
    if (Date.now() > deadline) {
      await end(child, 'SIGKILL');
      throw new Error(`the Kafka broker did not start within ${READY_WITHIN_MS} ms:\n${said}`);
    }
    await pause(25);
  }
  return child;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill(signal);
  const insist = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
  await ended;
  clearTimeout(insist);
}

/** The client port opens only after the broker has registered: accepting means ready. */
function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: HOST, port });
    socket.once('connect', () => (socket.destroy(), resolve(true)));
    socket.once('error', () => resolve(false));
  });
}
