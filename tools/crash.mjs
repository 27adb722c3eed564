// `npm run crash`: sets up, then runs the crash suite with the given arguments.
import { join } from 'node:path';
import { node, root, run, setup } from './setup.mjs';

await setup();
process.exit(await run(node, [join(root, 'tools', 'crash', 'main.ts'), ...process.argv.slice(2)]));
