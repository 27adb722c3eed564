import { isTimed, type Part, type Recipe, type Shown, shownBy } from './credential-recipe.ts';
import { type ExampleRequest, needsSecret, SECRET_VARIABLE, urlFormText } from './example-request.ts';

/** JSON's escapes are Python's too, and what JSON leaves as it is may stand in a Python text. */
const literal = (text: string): string => JSON.stringify(text);
const expression = (value: readonly Part[]): string =>
  value
    .filter((part) => !('text' in part) || part.text !== '')
    .map((part) => ('text' in part ? literal(part.text) : part.variable))
    .join(' + ');
const entry = ({ name, value }: Shown): string => `        ${literal(name)}: ${expression(value)},`;

/** A script for Python 3.8 and newer, standard library only. */
export function pythonExample(request: ExampleRequest): string {
  const { recipe } = request;
  const { headers, query } = shownBy(recipe);
  const fixed = Object.entries({ 'Content-Type': request.contentType, ...request.headers });
  const glue = request.url.includes('?') ? '&' : '?';
  const lines = [
    ...modulesOf(recipe).map((name) => `import ${name}`),
    '',
    ...(needsSecret(recipe) ? [`secret = os.environ[${literal(SECRET_VARIABLE)}]`] : []),
    `url = ${literal(request.url)}`,
    ...query.map(
      ({ name, value }) =>
        `url += ${literal(`${glue}${encodeURIComponent(name)}=`)} + urllib.parse.quote(${expression(value)}, safe="")`,
    ),
    `body = ${bodyExpression(request.body)}.encode()`,
    ...(isTimed(recipe) ? ['time = str(int(clock.time()))'] : []),
    ...workings(recipe, request),
    '',
    'request = urllib.request.Request(',
    '    url,',
    '    data=body,',
    '    method="POST",',
    '    headers={',
    ...fixed.map(([name, value]) => entry({ name, value: [{ text: value }] })),
    ...headers.map(entry),
    '    },',
    ')',
    'with urllib.request.urlopen(request) as response:',
    '    print(response.read().decode())',
  ];
  return `${lines.join('\n')}\n`;
}

function modulesOf(recipe: Recipe): string[] {
  const isBase64 =
    recipe.kind === 'basic' ||
    (recipe.kind === 'signature' && (recipe.encoding === 'base64' || recipe.signs === 'digest-time'));
  return [
    ...(isBase64 ? ['base64'] : []),
    ...(recipe.kind === 'signature' ? ['hashlib', 'hmac'] : []),
    ...(needsSecret(recipe) ? ['os'] : []),
    ...(isTimed(recipe) ? ['time as clock'] : []),
    ...(recipe.kind === 'query' ? ['urllib.parse'] : []),
    'urllib.request',
  ];
}

/** Raw text is the payload as it is; what would end the text early is written with escapes. */
const bodyExpression = (body: string): string =>
  body.includes("'''") || /['\\]$/.test(body) || body.includes('\r') ? literal(body) : `r'''${body}'''`;

function workings(recipe: Recipe, request: ExampleRequest): string[] {
  if (recipe.kind === 'basic')
    return [`credential = base64.b64encode((${literal(`${recipe.username}:`)} + secret).encode()).decode()`];
  if (recipe.kind !== 'signature') return [];
  const text = {
    body: 'body',
    'time-body': 'time.encode() + b":" + body',
    'digest-time': '(digest + ":" + time + ":v1").encode()',
    'url-form': `${literal(urlFormText(request))}.encode()`,
  }[recipe.signs];
  const mac = `hmac.new(secret.encode(), ${text}, hashlib.${recipe.algorithm})`;
  return [
    ...(recipe.signs === 'digest-time' ? ['digest = base64.b64encode(hashlib.sha256(body).digest()).decode()'] : []),
    `signature = ${recipe.encoding === 'hex' ? `${mac}.hexdigest()` : `base64.b64encode(${mac}.digest()).decode()`}`,
  ];
}
