import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { benchStore, type StoreRates } from './correlate-store.ts';
import { figure, hardware, median } from './statistics.ts';

export interface CorrelateOptions {
  runs: number;
  seconds: number;
  say(line: string): void;
}

/** What is said per core is measured on one: with the collector's own threads a process takes parts of others. */
const ONE_CORE = ['--single-threaded-gc'];

/** Decisions in a process of their own, where nothing else has left its memory. */
async function benchDecisions({ runs, seconds }: CorrelateOptions): Promise<Record<string, number>> {
  const script = fileURLToPath(new URL('./decisions-process.ts', import.meta.url));
  const child = fork(script, [`${runs}`, `${seconds}`], { execArgv: ONE_CORE });
  const ended = once(child, 'exit') as Promise<[number | null]>;
  const figures = once(child, 'message') as Promise<[Record<string, number>]>;
  const [first] = await Promise.race([figures, ended]);
  if (typeof first === 'number' || first === null) throw new Error(`the decisions' process ended with ${first}`);
  await ended;
  return first;
}

/** The correlator's decisions, in memory and with PostgreSQL. */
export async function benchCorrelate(options: CorrelateOptions): Promise<Record<string, number>> {
  const { say, seconds } = options;
  const { server, alone, together } = await benchStore({ ...options, seconds: Math.max(2, seconds / 2) });
  say(hardware(server, 'event log in memory'));
  const decisions = await benchDecisions(options);
  say(nameOf(alone));
  say(nameOf(together));
  return {
    ...decisions,
    stored_alerts_per_second: median(together.rates),
    alerts_per_second_with_postgres: median(together.rates),
    alerts_per_second_of_one_partition: median(alone.rates),
  };
}

const nameOf = ({ partitions, rates }: StoreRates): string =>
  figure(`with PostgreSQL, ${partitions === 1 ? 'one partition' : `${partitions} partitions`}`, rates, '/s');
