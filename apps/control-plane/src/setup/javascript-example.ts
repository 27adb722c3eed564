import { isTimed, type Part, type Recipe, type Shown, shownBy } from './credential-recipe.ts';
import { type ExampleRequest, needsSecret, SECRET_VARIABLE, urlFormText } from './example-request.ts';

const literal = (text: string): string => JSON.stringify(text);
const expression = (value: readonly Part[]): string =>
  value
    .filter((part) => !('text' in part) || part.text !== '')
    .map((part) => ('text' in part ? literal(part.text) : part.variable))
    .join(' + ');
const entry = ({ name, value }: Shown): string => `    ${literal(name)}: ${expression(value)},`;

/** A module for Node.js 18 and newer, without dependencies. */
export function javascriptExample(request: ExampleRequest): string {
  const { recipe } = request;
  const { headers, query } = shownBy(recipe);
  const fixed = Object.entries({ 'Content-Type': request.contentType, ...request.headers });
  const crypto = recipe.kind === 'signature';
  const lines = [
    ...(crypto
      ? [`import { ${recipe.signs === 'digest-time' ? 'createHash, ' : ''}createHmac } from 'node:crypto';`, '']
      : []),
    ...(needsSecret(recipe)
      ? [
          `const secret = process.env.${SECRET_VARIABLE};`,
          `if (!secret) throw new Error('Set ${SECRET_VARIABLE} to the secret of the webhook.');`,
        ]
      : []),
    `const url = new URL(${literal(request.url)});`,
    ...query.map(({ name, value }) => `url.searchParams.set(${literal(name)}, ${expression(value)});`),
    `const body = ${bodyExpression(request.body)};`,
    ...(isTimed(recipe) ? ['const time = String(Math.floor(Date.now() / 1000));'] : []),
    ...workings(recipe, request),
    '',
    'const response = await fetch(url, {',
    `  method: 'POST',`,
    '  headers: {',
    ...fixed.map(([name, value]) => entry({ name, value: [{ text: value }] })),
    ...headers.map(entry),
    '  },',
    '  body,',
    '});',
    'console.log(await response.text());',
    'if (!response.ok) process.exitCode = 1;',
  ];
  return `${lines.join('\n')}\n`;
}

/** A payload is shown as an object where nothing of it would be lost: an integer beyond 2^53 would. */
function bodyExpression(body: string): string {
  if (/\d{16}|__proto__/.test(body)) return literal(body);
  try {
    return `JSON.stringify(${JSON.stringify(JSON.parse(body), null, 2)})`;
  } catch {
    return literal(body);
  }
}

function workings(recipe: Recipe, request: ExampleRequest): string[] {
  if (recipe.kind === 'basic')
    return [`const credential = Buffer.from(${literal(`${recipe.username}:`)} + secret).toString('base64');`];
  if (recipe.kind !== 'signature') return [];
  const text = {
    body: 'body',
    'time-body': `time + ':' + body`,
    'digest-time': `digest + ':' + time + ':v1'`,
    'url-form': literal(urlFormText(request)),
  }[recipe.signs];
  return [
    ...(recipe.signs === 'digest-time' ? [`const digest = createHash('sha256').update(body).digest('base64');`] : []),
    `const signature = createHmac('${recipe.algorithm}', secret).update(${text}).digest('${recipe.encoding}');`,
  ];
}
