// npm run bench -- pipeline | normalize | correlate | outbound | incidents | rebuild [--runs N] [--seconds N] [--json]
// Prints medians with the hardware they were measured on; --json adds them as one last line.
import { parseArgs } from 'node:util';
import { benchCorrelate } from './correlate.ts';
import { benchIncidents } from './incidents.ts';
import { benchNormalize } from './normalize.ts';
import { benchOutbound } from './outbound.ts';
import { benchPipeline, type PipelineOptions } from './pipeline.ts';
import { benchRebuild } from './rebuild.ts';

const benchmarks: Record<string, (options: PipelineOptions) => Promise<Record<string, number | boolean>>> = {
  pipeline: benchPipeline,
  normalize: benchNormalize,
  correlate: benchCorrelate,
  outbound: benchOutbound,
  incidents: benchIncidents,
  rebuild: benchRebuild,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '10' },
    json: { type: 'boolean', default: false },
  },
});
const [name = ''] = positionals;
const bench = benchmarks[name];
const [runs, seconds] = [Number(values.runs), Number(values.seconds)];
if (
  !bench ||
  positionals.length !== 1 ||
  !Number.isInteger(runs) ||
  runs < 1 ||
  !Number.isInteger(seconds) ||
  seconds < 1
) {
  process.stderr.write(
    `Usage: npm run bench -- ${Object.keys(benchmarks).join(' | ')} [--runs N] [--seconds N] [--json]\n`,
  );
  process.exit(2);
}
const figures = await bench({ runs, seconds, say: (line) => void process.stdout.write(`${line}\n`) });
if (values.json) {
  const rounded = Object.fromEntries(
    Object.entries(figures).map(([key, value]) => [
      key,
      typeof value === 'number' ? Math.round(value * 1_000) / 1_000 : value,
    ]),
  );
  process.stdout.write(`${JSON.stringify(rounded)}\n`);
}
