// Started by the benchmark of the correlator, with an IPC channel: runs and seconds as arguments, figures as its message.
import { benchDecisions } from './decisions.ts';

const [runs, seconds] = process.argv.slice(2).map(Number) as [number, number];
const figures = benchDecisions({ runs, seconds, say: (line) => void process.stdout.write(`${line}\n`) });
process.send?.(figures, () => process.exit(0));
