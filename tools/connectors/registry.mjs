// Writes libs/connectors/src/registry.ts from the folders that hold a source.ts; `--check` only says whether it is up to date.
// Free of dependencies and of TypeScript, so that it runs before anything is installed or built.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { argv, exit } from 'node:process';
import { fileURLToPath } from 'node:url';

const folder = new URL('../../libs/connectors/src/', import.meta.url);
export const registryFile = new URL('registry.ts', folder);

/** Folders with a source.ts, in the order of their ids. */
export const connectorFolders = () =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(new URL(`${entry.name}/source.ts`, folder)))
    .map((entry) => entry.name)
    .sort();

/** The print width of prettier's configuration. */
const LINE = 120;

const camelCase = (id) => id.replaceAll(/-(\w)/g, (_match, letter) => letter.toUpperCase());

/** The text of registry.ts, formatted as prettier would. */
export function registryText(ids) {
  const imports = ids.map((id) => `import { source as ${camelCase(id)} } from './${id}/source.ts';`);
  const names = ids.map(camelCase);
  const oneLine = `export const { connectors, connectorOf, connectorBySlug } = registryOf([${names.join(', ')}]);`;
  const lines = `export const { connectors, connectorOf, connectorBySlug } = registryOf([\n${names.map((name) => `  ${name},\n`).join('')}]);`;
  return `// Written by \`node tools/connectors/registry.mjs\` from the folders beside it. Do not edit: run it again.
import { registryOf } from './kit/registry-of.ts';
${imports.join('\n')}

${oneLine.length <= LINE ? oneLine : lines}
`;
}

function main() {
  const wanted = registryText(connectorFolders());
  const same = existsSync(registryFile) && readFileSync(registryFile, 'utf8') === wanted;
  if (argv.includes('--check')) {
    console.log(same ? 'registry.ts is up to date' : 'registry.ts is out of date: node tools/connectors/registry.mjs');
    exit(same ? 0 : 1);
  }
  if (!same) writeFileSync(registryFile, wanted);
  console.log(`${connectorFolders().length} connectors${same ? ', nothing to change' : ' written to registry.ts'}`);
}

if (argv[1] === fileURLToPath(import.meta.url)) main();
