// `npm test`: sets up, then every level: build, lint, unit, integration (real Kafka and Postgres), end-to-end, crash suite.
// One level alone: `npm test -- unit` (any of the names below, several allowed).
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { node, root, run, setup } from './setup.mjs';

const bin = (name) => join(root, 'node_modules', ...name);
const nx = bin(['nx', 'dist', 'bin', 'nx.js']);
const vitest = bin(['vitest', 'vitest.mjs']);

const levels = {
  lint: [node, [nx, 'run', 'tocsin:lint']],
  unit: [node, [nx, 'run', 'tocsin:test']],
  int: [node, [vitest, 'run', '--project', 'int']],
  e2e: [node, [vitest, 'run', '--project', 'e2e']],
  crash: [node, [join(root, 'tools', 'crash', 'main.ts'), '--seconds', '60', '--seed', '1', '--proof']],
};

const wanted = process.argv.slice(2).filter((name) => !name.startsWith('-'));
const unknown = wanted.filter((name) => !(name in levels));
if (unknown.length > 0) {
  process.stderr.write(
    `npm test: there is no level ${unknown.join(', ')}; there are ${Object.keys(levels).join(', ')}\n`,
  );
  process.exit(2);
}

await setup();
const times = [];
for (const [level, [command, args]] of Object.entries(levels)) {
  if (wanted.length > 0 && !wanted.includes(level)) continue;
  const started = performance.now();
  process.stdout.write(`\n== ${level}\n`);
  const code = await run(command, args);
  times.push(`${level} ${((performance.now() - started) / 1000).toFixed(0)} s`);
  if (code !== 0) {
    process.stdout.write(`\n${level} failed (exit ${code}). So far: ${times.join(', ')}\n`);
    process.exit(code);
  }
}
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
process.stdout.write(`\nTocsin ${version}: every level passed: ${times.join(', ')}\n`);
