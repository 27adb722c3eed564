import { createHash } from 'node:crypto';
import type { Answer, ApiDocument, Media, Operation, Parameter } from './document.ts';
import { code, escaped, fieldTable, kindOf, limitsOf, prose } from './schema-text.ts';

const STYLE = `
:root{color-scheme:light dark;--line:color-mix(in srgb,currentColor 18%,transparent);--soft:color-mix(in srgb,currentColor 6%,transparent)}
body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;max-width:72rem;padding:1.5rem}
code,pre{font:13px/1.5 ui-monospace,monospace}pre{background:var(--soft);padding:.75rem;overflow:auto}
h2{border-bottom:1px solid var(--line);margin-top:2.5rem}nav a{margin-right:1rem}p{margin:.4rem 0}
table{border-collapse:collapse;width:100%;margin:.5rem 0}td,th{border-bottom:1px solid var(--line);padding:.3rem .6rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}
details{border:1px solid var(--line);border-radius:4px;margin:.5rem 0;padding:.4rem .75rem}summary{cursor:pointer}
summary b{display:inline-block;min-width:4.5rem}summary span{opacity:.75;margin-left:.75rem}
`;

const curlText = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** The request as a command line, with the values of the examples. */
function curlOf(method: string, path: string, operation: Operation, body: unknown): string {
  const { parameters = [], security } = operation;
  const of = (place: string) => parameters.filter((one) => one.in === place && one.example !== undefined);
  const filled = of('path').reduce((text, one) => text.replace(`{${one.name}}`, String(one.example)), path);
  const query = of('query')
    .map(({ name, example }) => `${name}=${encodeURIComponent(String(example))}`)
    .join('&');
  const [scheme = ''] = Object.keys(security[0] ?? {});
  const credential = { apiKey: '$TOCSIN_API_KEY', webhookBearer: '$WEBHOOK_SECRET' }[scheme];
  return [
    `curl -X ${method.toUpperCase()} "$TOCSIN_URL"${curlText(filled + (query ? `?${query}` : ''))}`,
    ...(credential ? [`-H "Authorization: Bearer ${credential}"`] : []),
    ...of('header').map(({ name, example }) => `-H ${curlText(`${name}: ${String(example)}`)}`),
    ...(body === undefined ? [] : [`-H 'Content-Type: application/json'`, `-d ${curlText(JSON.stringify(body))}`]),
  ].join(' \\\n  ');
}

const parameterRow = ({ name, in: place, required, schema, description }: Parameter): string =>
  `<tr><td>${code(name)}${required ? ' *' : ''}</td><td>${place}</td><td>${kindOf(schema)}</td>` +
  `<td>${limitsOf(schema)}${prose(description ?? schema.description ?? '')}</td></tr>`;

const parametersOf = ({ parameters = [] }: Operation): string =>
  parameters.length === 0
    ? ''
    : `<h4>Parameters</h4><table><tbody>${parameters.map(parameterRow).join('')}</tbody></table>`;

function examplesOf(method: string, path: string, operation: Operation): string {
  const media = Object.values(operation.requestBody?.content ?? {});
  const named = media.flatMap(({ examples = {} }: Media) => Object.values(examples));
  const all = named.length > 0 ? named : [{ summary: 'Example', value: undefined }];
  return all
    .map(
      ({ summary, value }) =>
        `<h4>${escaped(summary)}</h4><pre>${escaped(curlOf(method, path, operation, value))}</pre>`,
    )
    .join('');
}

const kindsOf = (content: Record<string, Media>): string =>
  Object.entries(content)
    .map(([type, { schema }]) => `${code(type)} ${schema ? kindOf(schema) : ''}`)
    .join('<br>');

function answersOf({ responses }: Operation, document: ApiDocument): string {
  const rows = Object.entries(responses).map(([status, given]) => {
    const name = given.$ref?.split('/').at(-1) ?? '';
    const answer: Answer = document.components.responses[name] ?? given;
    const body = given.$ref ? '<a href="#schema-Problem">Problem</a>' : kindsOf(answer.content ?? {});
    return `<tr><td>${code(status)}</td><td>${prose(answer.description ?? '')}</td><td>${body}</td></tr>`;
  });
  return `<h4>Answers</h4><table><tbody>${rows.join('')}</tbody></table>`;
}

function needsOf({ security }: Operation): string {
  const ways = security.map((way) =>
    Object.entries(way).map(([scheme, [scope]]) => (scope ? `an API key with scope ${code(scope)}` : code(scheme))),
  );
  const said = ways.flat();
  return said.length > 0 ? `<p>Needs ${said.join(' or ')}.</p>` : '';
}

function operationOf(method: string, path: string, operation: Operation, document: ApiDocument): string {
  const body = operation.requestBody ? `<h4>Body</h4><p>${kindsOf(operation.requestBody.content)}</p>` : '';
  return (
    `<details id="${operation.operationId}"><summary><b>${method.toUpperCase()}</b>${code(path)}<span>${escaped(operation.summary)}</span></summary>` +
    `${prose(operation.description ?? '')}${needsOf(operation)}<p>Served by ${escaped(operation['x-service'])}.</p>` +
    `${parametersOf(operation)}${body}${examplesOf(method, path, operation)}${answersOf(operation, document)}</details>`
  );
}

function chapterOf(tag: ApiDocument['tags'][number], document: ApiDocument): string {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) =>
      operation.tags.includes(tag.name) ? [operationOf(method, path, operation, document)] : [],
    ),
  );
  return `<h2 id="${tag.name}">${tag.name}</h2>${prose(tag.description)}${operations.join('')}`;
}

const schemasOf = ({ components }: ApiDocument): string =>
  Object.entries(components.schemas)
    .map(
      ([name, schema]) => `<h3 id="schema-${name}">${name}</h3>${prose(schema.description ?? '')}${fieldTable(schema)}`,
    )
    .join('');

const keysOf = ({ components }: ApiDocument): string =>
  Object.entries(components.securitySchemes)
    .map(([name, { description }]) => `<h3>${name}</h3>${prose(description)}`)
    .join('');

/** The whole document as one HTML page: no script, nothing loaded from anywhere. `policy` lets in its one style sheet and no more. */
export function apiPage(document: ApiDocument): { html: string; policy: string } {
  const { info, tags } = document;
  const links = [...tags.map(({ name }) => name), 'Schemas'].map((name) => `<a href="#${name}">${name}</a>`).join('');
  const html =
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
    `<title>${escaped(info.title)} API</title><style>${STYLE}</style></head><body>` +
    `<h1>${escaped(info.title)} API ${escaped(info.version)}</h1>${prose(info.description)}` +
    `<p>For machines: <a href="/api/openapi.json">/api/openapi.json</a>. Fields with * are required.</p>` +
    `<nav>${links}</nav><h2>Credentials</h2>${keysOf(document)}` +
    `${tags.map((tag) => chapterOf(tag, document)).join('')}<h2 id="Schemas">Schemas</h2>${schemasOf(document)}</body></html>\n`;
  const hash = createHash('sha256').update(STYLE).digest('base64');
  return {
    html,
    policy: `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  };
}
