import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort, waitFor } from '@tocsin/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const shell = promisify(execFile);
const startScript = fileURLToPath(new URL('../start.mjs', import.meta.url));

interface Demo {
  apiKey: string;
  token: string;
  secret: string;
}
interface Sunk {
  items: { event: string; incident_id: string; verified: boolean }[];
}

/** `npm start` as a terminal runs it: in a process group of its own, so that Ctrl-C and kill -9 reach all of it. */
class Laptop {
  output = '';
  private child: ChildProcess | undefined;

  constructor(
    readonly directory: string,
    readonly port: number,
  ) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    this.output = '';
    const child = spawn(process.execPath, [startScript], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, PORT: String(this.port), TOCSIN_DATA_DIR: this.directory, LOG_LEVEL: 'warn' },
    });
    child.stdout.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    this.child = child;
    const ready = async () => {
      if (child.exitCode !== null) return 'ended' as const;
      return this.commands().length === 2 && (await fetch(`${this.url}/health/ready`)).ok && ('ready' as const);
    };
    const state = await waitFor(ready, { timeoutMs: 120_000, what: 'ready' }).catch((error: Error) => error);
    if (state !== 'ready') throw new Error(`not ready (${String(state)}); it said:\n${this.output}`);
  }

  /** The lines that a new user pastes. */
  commands(): string[] {
    return this.output.split('\n').filter((line) => line.startsWith('curl '));
  }

  /** What the terminal does on Ctrl-C, or the kernel on kill -9: the signal goes to the whole group. */
  async end(signal: 'SIGINT' | 'SIGKILL'): Promise<void> {
    const { child } = this;
    if (!child?.pid || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    process.kill(-child.pid, signal);
    await exited;
    // The start script may be gone before the process that it started has finished what it had in hand.
    if (signal === 'SIGINT')
      await waitFor(() => !existsSync(join(this.directory, 'run.json')), { timeoutMs: 60_000, what: 'a clean end' });
  }

  async get<T>(path: string): Promise<T> {
    const { apiKey } = await this.demo();
    const response = await fetch(`${this.url}${path}`, { headers: { authorization: `Bearer ${apiKey}` } });
    expect(response.status, path).toBe(200);
    return (await response.json()) as T;
  }

  demo = async (): Promise<Demo> => JSON.parse(await readFile(join(this.directory, 'demo.json'), 'utf8')) as Demo;

  async paste(command: string): Promise<Record<string, unknown>> {
    const { stdout } = await shell('bash', ['-c', command]);
    return JSON.parse(stdout) as Record<string, unknown>;
  }
}

let laptop: Laptop;
beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'tocsin-laptop-'));
  await chmod(directory, 0o755);
  laptop = new Laptop(join(directory, 'data'), await freePort());
  await laptop.start();
});
afterAll(async () => {
  await laptop.end('SIGINT');
  const server = join(laptop.directory, 'postgres', 'server');
  if (existsSync(server)) await rm(await realpath(server), { recursive: true, force: true });
  await rm(join(laptop.directory, '..'), { recursive: true, force: true });
});

describe('a new user', () => {
  let incidentId: string;

  it('pastes the first command and has an incident', async () => {
    const answer = await laptop.paste(laptop.commands()[0] as string);
    expect(answer).toMatchObject({ status: 'created', alerts: [{ outcome: 'created', occurrence_count: 1 }] });
    incidentId = answer.incident_id as string;
    expect(await laptop.get(`/api/v1/incidents/${incidentId}`)).toMatchObject({ id: incidentId, status: 'open' });
  });

  it('pastes the second one and reads it', async () => {
    expect(await laptop.paste(laptop.commands()[1] as string)).toMatchObject({ items: [{ id: incidentId }] });
  });

  it('sends it again: deduplicated, counted twice', async () => {
    const answer = await laptop.paste(laptop.commands()[0] as string);
    expect(answer).toMatchObject({
      status: 'deduplicated',
      incident_id: incidentId,
      alerts: [{ occurrence_count: 2 }],
    });
    expect(await laptop.get(`/api/v1/incidents/${incidentId}`)).toMatchObject({ webhook_occurrence_count: 2 });
  });

  it('resolves it with the same key, and the sink shows both events with verified signatures', async () => {
    const answer = await laptop.paste(
      (laptop.commands()[0] as string).replace('"dedup_key"', '"status":"resolved","dedup_key"'),
    );
    expect(answer).toMatchObject({ status: 'resolved', incident_id: incidentId });
    const sunk = await waitFor(
      async () => {
        const { items } = await laptop.get<Sunk>('/sink');
        return items.some(({ event }) => event === 'incident.resolved') && items;
      },
      { timeoutMs: 60_000, what: 'incident.resolved in the sink' },
    );
    const events = sunk.filter(({ incident_id }) => incident_id === incidentId);
    expect(events.map(({ event }) => event)).toEqual(expect.arrayContaining(['incident.created', 'incident.resolved']));
    expect(events.every(({ verified }) => verified)).toBe(true);
  });

  it.each(['SIGINT', 'SIGKILL'] as const)('finds everything again after %s and another start', async (signal) => {
    const before = { commands: laptop.commands(), demo: await laptop.demo() };
    const count = 20;
    const accepted = await Promise.all(
      Array.from({ length: count }, async (_, index) => {
        const response = await fetch(`${laptop.url}/webhook/${before.demo.token}/trigger`, {
          method: 'POST',
          headers: {
            authorization: `Bearer ${before.demo.secret}`,
            'content-type': 'application/json',
            prefer: 'respond-async',
          },
          body: JSON.stringify({
            title: `Before ${signal} ${index}`,
            dedup_key: `${signal}-${index}`,
            service: `${signal}-${index}`,
          }),
        });
        return response.status;
      }),
    );
    expect(accepted).toEqual(Array(count).fill(202));
    await laptop.end(signal); // at once: most of them are still on their way
    await laptop.start();
    expect(await laptop.demo()).toEqual(before.demo);
    expect(laptop.commands()).toEqual(before.commands);
    expect(await laptop.get(`/api/v1/incidents/${incidentId}`)).toMatchObject({
      status: 'resolved',
      webhook_occurrence_count: 2,
    });
    await waitFor(
      async () => {
        const { items } = await laptop.get<{ items: { title: string }[] }>('/api/v1/incidents?limit=200');
        return items.filter(({ title }) => title.startsWith(`Before ${signal} `)).length === count;
      },
      { timeoutMs: 60_000, what: `all ${count} accepted alerts` },
    );
  });

  it('goes on where the journal was lost: the database keeps its state, new alerts are taken, the log says what happened', async () => {
    await laptop.paste(laptop.commands()[0] as string);
    // Killed, not stopped: services are left at different positions of the same topic, which the new journal must bridge.
    await laptop.end('SIGKILL');
    await rm(join(laptop.directory, 'log'), { recursive: true });
    await laptop.start();
    expect(laptop.output).toContain('journal.lost');
    expect(await laptop.get(`/api/v1/incidents/${incidentId}`)).toMatchObject({ id: incidentId });
    const fresh = (laptop.commands()[0] as string)
      .replace('checkout-latency', 'after-the-loss')
      .replace('"service":"checkout"', '"service":"other"');
    expect(await laptop.paste(fresh)).toMatchObject({ status: 'created' });
  });

  it('who starts it twice is told so, and the first one goes on', async () => {
    await expect(
      shell(process.execPath, [startScript], { env: { ...process.env, PORT: '0', TOCSIN_DATA_DIR: laptop.directory } }),
    ).rejects.toMatchObject({ stdout: expect.stringContaining('is in use by process') as unknown });
    expect(await laptop.get(`/api/v1/incidents/${incidentId}`)).toMatchObject({ id: incidentId });
  });

  it('who mistypes a variable is told which', async () => {
    await expect(
      shell(process.execPath, [startScript], { env: { ...process.env, PORT: 'eighty' } }),
    ).rejects.toMatchObject({
      code: 78,
      stdout: expect.stringContaining('PORT') as unknown,
    });
  });
});
