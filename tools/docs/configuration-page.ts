import ts from 'typescript';
import { code, table } from './markdown.ts';
import {
  classesOf,
  commentOf,
  type Decoration,
  decorationsOf,
  filesBelow,
  parse,
  type Value,
  valueOf,
} from './source.ts';

export interface Variable {
  name: string;
  default: string;
  range: string;
  meaning: string;
}

/** Meanings of variables whose property has no comment, and of those that no configuration class has. */
const MEANINGS: Readonly<Record<string, string>> = {
  TOPIC_REPLICATION: 'Replication factor of topics that are created.',
  LOG_LEVEL: 'Lines below this level are not written.',
};

const OTHERS: readonly Variable[] = [
  {
    name: 'APP',
    default: '`all-in-one`',
    range: 'folder of `apps/`',
    meaning: 'What `npm start` starts: everything in one process, or one service alone.',
  },
  {
    name: 'CONFIGURATION_URL',
    default: '`DATABASE_URL`',
    range: '',
    meaning: 'Database that holds `control_plane.configuration_feed`, for a service with a database of its own.',
  },
];

const TESTS: readonly Variable[] = [
  {
    name: 'TEST_DATABASE_URL',
    default: 'an embedded server',
    range: '',
    meaning: 'PostgreSQL for integration tests; the login needs CREATEDB and CREATEROLE. Tests drop what they made.',
  },
  {
    name: 'TEST_KAFKA_BROKERS',
    default: 'Docker, else Java 17+ with Maven',
    range: '',
    meaning: 'Kafka for integration tests, `host:port,…`. Never read by a service.',
  },
];

const titles: Readonly<Record<string, string>> = {
  'libs/nest-shell/src/config.ts': 'Every process',
  'libs/egress/src/config.ts': 'Processes that dial users’ addresses: outbound-dispatcher, rca-trigger',
};

function shown(value: Value): string {
  if (value === undefined) return '–';
  return value === '' ? 'empty' : code(String(value));
}

const only = (decorations: readonly Decoration[], name: string): Value => {
  const [first] = decorations.find((one) => one.name === name)?.args ?? [];
  return first && valueOf(first);
};

function rangeOf(decorations: readonly Decoration[]): string {
  const words = only(decorations, 'IsIn');
  if (Array.isArray(words)) return words.map((word) => code(String(word))).join(', ');
  if (decorations.some(({ name }) => name === 'IsBoolean')) return '`true`, `false`';
  const [min, max] = [only(decorations, 'Min'), only(decorations, 'Max')];
  return min === undefined ? '' : `${min as number} to ${max as number}`;
}

function variablesOf(declared: ts.ClassDeclaration): Variable[] {
  return declared.members.filter(ts.isPropertyDeclaration).flatMap((property) => {
    const name = property.name.getText();
    if (!/^[A-Z][A-Z0-9_]+$/.test(name)) return [];
    const meaning = commentOf(property) || MEANINGS[name];
    if (!meaning) throw new Error(`${name} has no meaning: write a comment on it`);
    if (!property.initializer) throw new Error(`${name} has no default`);
    const decorations = decorationsOf(property);
    return [{ name, default: shown(valueOf(property.initializer)), range: rangeOf(decorations), meaning }];
  });
}

/** Variables by the file of the configuration class that reads them. */
export function readVariables(): Map<string, Variable[]> {
  const files = [
    ...filesBelow('libs/nest-shell/src', 'config.ts'),
    ...filesBelow('libs/egress/src', 'config.ts'),
    ...filesBelow('apps', 'config.ts'),
  ];
  const found = files.map((path): [string, Variable[]] => [path, classesOf(parse(path)).flatMap(variablesOf)]);
  return new Map(found.filter(([, variables]) => variables.length > 0));
}

const tableOf = (variables: readonly Variable[]): string =>
  table(
    ['variable', 'default', 'values', 'meaning'],
    variables.map((one) => [code(one.name), one.default, one.range, one.meaning]),
  );

export const configurationPage = (): string => `
A process reads its environment once, at boot. An empty text counts as absent. A bad value stops the boot with exit code 78, and the message
names every bad variable and prints no value. A service alone also needs \`DATABASE_URL\`, \`KAFKA_BROKERS\`, \`TOCSIN_KEY_RING\` and
\`TOCSIN_API_KEY_PEPPER\`; all-in-one makes its own keys once and uses its own database and log without them.

${[...readVariables()].map(([path, variables]) => `## ${titles[path] ?? path.split('/')[1]}\n\n${tableOf(variables)}`).join('\n\n')}

## Others

${tableOf(OTHERS)}

## Tests

${tableOf(TESTS)}
`;
