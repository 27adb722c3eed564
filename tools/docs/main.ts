// node tools/docs/main.ts           writes docs/reference from the code (after `npm run setup`)
// node tools/docs/main.ts --check   fails when a page differs from what the code says
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { generatedFiles, pageOf, referenceFolder } from './pages.ts';

const check = process.argv.includes('--check');
const drifted: string[] = [];

await mkdir(referenceFolder, { recursive: true });
for (const file of generatedFiles) {
  const text = pageOf(file);
  const path = new URL(file, referenceFolder);
  if ((await readFile(path, 'utf8').catch(() => '')) === text) continue;
  drifted.push(file);
  if (!check) await writeFile(path, text);
}
const list = drifted.map((file) => `docs/reference/${file}`).join(', ');
if (check && drifted.length > 0) {
  process.stderr.write(`${list}: not what the code says. Run: node tools/docs/main.ts\n`);
  process.exit(1);
}
process.stdout.write(drifted.length > 0 ? `written: ${list}\n` : 'docs/reference is what the code says\n');
