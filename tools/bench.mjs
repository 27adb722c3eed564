// `npm run bench`: sets up, then runs the benchmarks with the given arguments.
import { join } from 'node:path';
import { node, root, run, serviceArguments, setup } from './setup.mjs';

await setup();
process.exit(await run(node, [...serviceArguments, join(root, 'tools', 'bench', 'main.ts'), ...process.argv.slice(2)]));
