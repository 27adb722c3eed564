import { setTimeout as pause } from 'node:timers/promises';
import { services, type ServiceName } from '@tocsin/contracts';
import type { Split } from '@tocsin/testing';
import type { Seeded } from './random.ts';

export interface Kills {
  /** Kills that hit a live process; others do not count. */
  hits: { service: ServiceName; signal: 'SIGKILL' | 'SIGSTOP' }[];
  missed: number;
}

export interface KillOptions {
  split: Split;
  random: Seeded;
  seconds: number;
  /** Which services are killed; default all. A sabotage run aims at the sabotaged one. */
  targets?: readonly ServiceName[];
  /** How much work has come through. With it, each kill waits until the restarted target works again: an idle one breaks nothing. */
  worked?: () => Promise<number>;
  /** Pause between two kills, milliseconds. */
  gapMs: [number, number];
  say(line: string): void;
}

const FROZEN_MS = 20_000;
/** Services whose partitions another process can take over while the first is frozen. */
const FREEZABLE: readonly ServiceName[] = ['dedup-correlator', 'incident-store', 'normalizer'];

const AT_WORK_MS = 20_000;

/** Waits until more work comes through than before: the target is in the middle of it. */
async function atWork(worked: () => Promise<number>): Promise<void> {
  const before = await worked();
  for (let waited = 0; waited < AT_WORK_MS && (await worked()) <= before; waited += 50) await pause(50);
}

/** SIGKILL and start again, at once: what an orchestrator does. */
async function killOne(options: KillOptions, kills: Kills, frozen: ServiceName | undefined): Promise<void> {
  const candidates = (options.targets ?? services).filter((service) => service !== frozen);
  const service = options.random.of(candidates);
  const app = options.split.process(service);
  if (!app.kill('SIGKILL')) {
    kills.missed += 1;
  } else {
    kills.hits.push({ service, signal: 'SIGKILL' });
    await app.exit();
  }
  if (!app.alive) app.start();
}

/**
 * Freezes a process that holds partitions, lets a second one take them over, thaws the first: now it is a zombie that
 * believes to own them. Its writes must change nothing.
 */
async function freezeOne(options: KillOptions, kills: Kills, service: ServiceName): Promise<void> {
  const app = options.split.process(service);
  await options.split.ready([service]);
  if (!app.kill('SIGSTOP')) {
    kills.missed += 1;
    return;
  }
  kills.hits.push({ service, signal: 'SIGSTOP' });
  const thaw = pause(FROZEN_MS);
  const replica = await options.split.replica(service);
  await thaw;
  app.kill('SIGCONT');
  await pause(3_000);
  await replica.stop();
}

/** Kills for the given time, with one freeze where the time allows it. */
export async function killAround(options: KillOptions): Promise<Kills> {
  const kills: Kills = { hits: [], missed: 0 };
  const end = performance.now() + options.seconds * 1_000;
  const frozen = options.targets === undefined && options.seconds >= 40 ? options.random.of(FREEZABLE) : undefined;
  const freezing = frozen ? pause(5_000).then(() => freezeOne(options, kills, frozen)) : Promise.resolve();
  while (performance.now() < end) {
    await pause(options.random.between(...options.gapMs));
    if (options.worked) await atWork(options.worked);
    await killOne(options, kills, frozen);
  }
  await freezing;
  for (const [service, app] of options.split.processes) {
    if (!app.alive) {
      options.say(`${service} had ended by itself; its output: ${app.logFile}`);
      app.start();
    }
  }
  return kills;
}
