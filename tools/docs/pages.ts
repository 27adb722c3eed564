import { openApiText } from '../openapi/document.ts';
import { configurationPage } from './configuration-page.ts';
import { connectorsPage } from './connectors-page.ts';
import { problemsPage } from './problems-page.ts';
import { reasonsPage } from './reasons-page.ts';
import { routesPage } from './routes-page.ts';
import { topicsPage } from './topics-page.ts';

export const referenceFolder = new URL('../../docs/reference/', import.meta.url);

const entries: readonly { file: string; title: string; what: string; body: () => string }[] = [
  { file: 'configuration.md', title: 'Configuration', what: 'every environment variable', body: configurationPage },
  { file: 'connectors.md', title: 'Connectors', what: 'the sources that alerts come from', body: connectorsPage },
  { file: 'http-routes.md', title: 'HTTP routes', what: 'method, path, scope and service', body: routesPage },
  { file: 'problems.md', title: 'Problem codes', what: 'what an error answer says', body: problemsPage },
  {
    file: 'reasons.md',
    title: 'Outcomes, reasons, notes',
    what: 'the closed lists and what each entry means',
    body: reasonsPage,
  },
  { file: 'topics.md', title: 'Topics', what: 'keys, partitions, retention, records', body: topicsPage },
];

const NOTICE = '<!-- Generated from the code by tools/docs/main.ts. Do not edit. -->';
const page = (title: string, body: string): string => `${NOTICE}\n\n# ${title}\n\n${body.trim()}\n`;

const INDEX = 'README.md';
const OPENAPI = 'openapi.json';
/** The control-plane serves the document, and a package reads nothing outside of its folder. */
const SERVED = '../../apps/control-plane/src/api-docs/openapi.json';
export const pageFiles: readonly string[] = [INDEX, ...entries.map(({ file }) => file), OPENAPI];
export const generatedFiles: readonly string[] = [...pageFiles, SERVED];

let openApi: string | undefined;

/** The text of one file of docs/reference, or of one that is generated elsewhere. */
export function pageOf(file: string): string {
  if (file === OPENAPI || file === SERVED) return (openApi ??= openApiText());
  const entry = entries.find((one) => one.file === file);
  if (entry) return page(entry.title, entry.body());
  const index = [
    ...entries,
    { file: OPENAPI, title: 'OpenAPI', what: 'every route with its fields and answers; browsable at `/api/docs`' },
  ]
    .map(({ file: path, title, what }) => `* [${title}](${path}): ${what}`)
    .join('\n');
  return page(
    'Reference',
    `Tables that the code itself is the source of. \`node tools/docs/main.ts\` writes them.\n\n${index}`,
  );
}
