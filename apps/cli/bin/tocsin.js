#!/usr/bin/env node
// The committed entry of `npx --no tocsin`; what it runs is built by `npm run setup`.
import { existsSync } from 'node:fs';

const main = new URL('../dist/main.js', import.meta.url);
if (!existsSync(main)) {
  process.stderr.write('tocsin is not built yet: run npm run setup\n');
  process.exit(1);
}
await import(main.href);
