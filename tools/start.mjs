// `npm start`: everything in one process, on the embedded database and journal unless DATABASE_URL and KAFKA_BROKERS say otherwise.
// With APP=<service> it starts that service alone (see README, "Seven processes").
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { environment, node, root, serviceArguments, setup } from './setup.mjs';

await setup();
const app = process.env.APP ?? 'all-in-one';
const main = join(root, 'apps', app, 'dist', 'main.js');
if (!/^[a-z-]+$/.test(app) || !existsSync(main)) {
  const known = readdirSync(join(root, 'apps')).filter((name) =>
    existsSync(join(root, 'apps', name, 'dist', 'main.js')),
  );
  process.stderr.write(`APP: there is no service '${app}'. Known: ${known.join(', ')}\n`);
  process.exit(78);
}
// The all-in-one is for a laptop: it stays small.
const child = spawn(node, app === 'all-in-one' ? [main] : [...serviceArguments, main], {
  cwd: root,
  env: environment,
  stdio: 'inherit',
});
// Ctrl-C reaches the whole group; a signal sent to this process alone is handed on.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.once('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
