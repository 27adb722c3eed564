import { isTimed, type Part, type Recipe, type Shown, shownBy } from './credential-recipe.ts';
import { type ExampleRequest, needsSecret, SECRET_VARIABLE, urlFormText } from './example-request.ts';

/** A literal for any shell: nothing is special between single quotes. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** Neighbouring texts become one. */
const merged = (parts: readonly Part[]): Part[] =>
  parts.reduce<Part[]>((done, part) => {
    const last = done.at(-1);
    if (!('text' in part) || !last || !('text' in last)) return [...done, part];
    return [...done.slice(0, -1), { text: last.text + part.text }];
  }, []);

const word = (...parts: Part[]): string =>
  merged(parts)
    .map((part) => ('text' in part ? quoted(part.text) : `"$${part.variable}"`))
    .join('');
const headerLine = ({ name, value }: Shown): string => `-H ${word({ text: `${name}: ` }, ...value)}`;

/** A shell script: curl, and openssl where something is signed. */
export function curlExample(request: ExampleRequest): string {
  const { recipe } = request;
  const { headers, query } = shownBy(recipe);
  const fixed = Object.entries({ 'Content-Type': request.contentType, ...request.headers });
  const call = [
    `curl --silent --show-error --fail-with-body -X POST ${quoted(request.url)}`,
    ...fixed.map(([name, value]) => headerLine({ name, value: [{ text: value }] })),
    ...headers.map(headerLine),
    ...query.map(({ name, value }) => `--url-query ${word({ text: `${name}=` }, ...value)}`),
    ...(request.body === '' ? [`--data-raw ''`] : ['--data-raw "$body"']),
  ].join(' \\\n  ');
  const lines = [
    ...(needsSecret(recipe) ? [`secret="\${${SECRET_VARIABLE}:?set it to the secret of the webhook}"`] : []),
    ...(request.body === '' ? [] : [`body=${quoted(request.body)}`]),
    ...(isTimed(recipe) ? ['time=$(date +%s)'] : []),
    ...workings(recipe, request),
    call,
  ];
  return `${lines.join('\n')}\n`;
}

function workings(recipe: Recipe, request: ExampleRequest): string[] {
  if (recipe.kind === 'basic')
    return [`credential=$(printf '%s:%s' ${quoted(recipe.username)} "$secret" | openssl base64 -A)`];
  if (recipe.kind !== 'signature') return [];
  const text = {
    body: '"$body"',
    'time-body': '"$time:$body"',
    'digest-time': '"$digest:$time:v1"',
    'url-form': quoted(urlFormText(request)),
  }[recipe.signs];
  const end = recipe.encoding === 'hex' ? `-hex | sed 's/^.* //'` : '-binary | openssl base64 -A';
  return [
    ...(recipe.signs === 'digest-time'
      ? [`digest=$(printf '%s' "$body" | openssl dgst -sha256 -binary | openssl base64 -A)`]
      : []),
    `signature=$(printf '%s' ${text} | openssl dgst -${recipe.algorithm} -hmac "$secret" ${end})`,
  ];
}
