import { createPipeline, createPools } from '../index.ts';
import { inputsOf, insertStage, oneBatch, openLog, SCHEMA } from './kit.ts';

/** An owner that stays inside of its transaction until it is told to go on; the spec stops it there with SIGSTOP. */
const [url] = process.argv.slice(2);
const pools = createPools({ connectionString: url!, applicationName: 'paused-owner', max: 4 });
const log = await openLog();
const pipeline = createPipeline({
  pool: pools.pipeline,
  schema: SCHEMA,
  service: 'suite',
  log,
  now: () => new Date(),
  publisher: 'per-partition',
});
const inner = insertStage();
const result = await oneBatch(pipeline, inputsOf(10), {
  ...inner,
  apply: async (tx, inputs) => {
    const outcome = await inner.apply(tx, inputs, undefined);
    process.stdout.write('inside\n');
    await new Promise((resolve) => process.stdin.once('data', resolve));
    return outcome;
  },
});
process.stdout.write(
  `${JSON.stringify(result, (_, value: unknown) => (typeof value === 'bigint' ? Number(value) : value))}\n`,
);
await pipeline.close();
await log.close();
await pools.close();
process.exit(0);
