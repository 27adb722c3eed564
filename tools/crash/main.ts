// npm run crash -- [--seconds N] [--seed S] [--rate R] [--sabotage NAME] [--proof]
// Real processes, real Kafka, real Postgres, SIGKILL and SIGSTOP. Prints what it checked and ends with "N passed, N failed".
// --proof: a run without sabotage that must pass, then each sabotage, which must be noticed. That is what `npm test` runs.
import { parseArgs } from 'node:util';
import { startPostgres, testKafka } from '@tocsin/testing';
import { runCrash, sabotages, type CrashOptions, type CrashReport, type Sabotage } from './run.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 100_000) },
    rate: { type: 'string', default: '150' },
    sabotage: { type: 'string' },
    proof: { type: 'boolean', default: false },
  },
});
const number = (name: 'seconds' | 'seed' | 'rate'): number => {
  const value = Number(values[name]);
  if (!Number.isInteger(value) || value < 1) usage(`--${name} must be a whole number from 1 on`);
  return value;
};
function usage(message: string): never {
  process.stderr.write(
    `${message}\nUsage: npm run crash -- [--seconds N] [--seed S] [--rate R] [--sabotage ${Object.keys(sabotages).join(' | ')}] [--proof]\n`,
  );
  process.exit(2);
}
if (values.sabotage !== undefined && !Object.hasOwn(sabotages, values.sabotage))
  usage(`There is no sabotage '${values.sabotage}'.`);

const say = (line: string) => void process.stdout.write(`${line}\n`);
const SHOWN = 5;

function show({ checks, kills, ledger, drainSeconds }: CrashReport): void {
  const hits = new Map<string, number>();
  for (const { service, signal } of kills.hits)
    hits.set(`${signal} ${service}`, (hits.get(`${signal} ${service}`) ?? 0) + 1);
  const refused = [...ledger.statuses].map(([what, count]) => `${count} × ${what}`).join(', ') || 'none';
  say(
    `${ledger.confirmed} accepted of ${ledger.confirmed + ledger.refused} attempts on ${ledger.all().length} keys (not accepted: ${refused})`,
  );
  say(
    `${kills.hits.length} kills that hit (${kills.missed} missed): ${[...hits].map(([what, count]) => `${count} × ${what}`).join(', ')}`,
  );
  say(`drained ${drainSeconds.toFixed(1)} s after the load ended`);
  for (const { name, failures } of checks) {
    say(`${failures.length === 0 ? 'ok    ' : 'FAILED'} ${name}${failures.length > 0 ? `: ${failures.length}` : ''}`);
    for (const failure of failures.slice(0, SHOWN)) say(`         ${failure}`);
  }
}

const failuresOf = (report: CrashReport) => report.checks.filter(({ failures }) => failures.length > 0).length;

const postgres = await startPostgres();
process.env['TEST_DATABASE_URL'] = postgres.url;
const { brokers, stop: stopKafka } = await testKafka();
const seed = number('seed');

const honest = (): CrashOptions => ({
  seconds: number('seconds'),
  seed,
  brokers,
  perSecond: number('rate'),
  leastKills: Math.floor(number('seconds') / 6),
  leastAccepted: Math.min(5_000, number('seconds') * 50),
  say,
});
const sabotaged = (sabotage: Sabotage, seconds: number): CrashOptions => ({
  ...honest(),
  sabotage,
  seconds,
  leastKills: 2,
  leastAccepted: 100,
});

async function one(options: CrashOptions): Promise<CrashReport> {
  say(
    `\n== ${options.seconds} s, seed ${options.seed}${options.sabotage ? `, sabotage ${options.sabotage} in ${sabotages[options.sabotage]}` : ''}`,
  );
  const report = await runCrash(options);
  show(report);
  return report;
}

/** Each sabotage must be noticed. A run that was too soft says nothing: only a broken promise counts. */
async function prove(): Promise<number[]> {
  const unnoticed: number[] = [];
  for (const sabotage of Object.keys(sabotages) as Sabotage[]) {
    const { checks } = await one(sabotaged(sabotage, 25));
    const noticed = checks.slice(1).some(({ failures }) => failures.length > 0);
    say(noticed ? `ok     the suite notices ${sabotage}` : `FAILED the suite did not notice ${sabotage}`);
    unnoticed.push(noticed ? 0 : 1);
  }
  return unnoticed;
}

let passed = 0;
let failed = 0;
try {
  const report = await one(
    values.sabotage === undefined ? honest() : sabotaged(values.sabotage as Sabotage, number('seconds')),
  );
  const proofs = values.proof && values.sabotage === undefined ? await prove() : [];
  failed = failuresOf(report) + proofs.filter((unnoticed) => unnoticed > 0).length;
  passed = report.checks.length + proofs.length - failed;
} finally {
  await Promise.all([stopKafka(), postgres.stop()]);
}
say(`\n${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
