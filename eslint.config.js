import tseslint from 'typescript-eslint';

/** Import rules of ARCHITECTURE.md: what each folder must never import. A wrong import fails the lint. */
const NEST = { group: ['@nestjs/*'], message: 'this folder stays free of Nest' };
const IO = {
  group: [
    'node:fs*',
    'node:net',
    'node:http*',
    'node:tls',
    'node:child_process',
    'node:dgram',
    'node:dns*',
    'pg',
    'kafkajs',
    'undici',
    'fastify',
    'typeorm',
  ],
  message: 'this folder does no I/O',
};
const APPS = {
  group: [
    '@tocsin/all-in-one',
    '@tocsin/cli',
    '@tocsin/ingress-gateway',
    '@tocsin/normalizer',
    '@tocsin/dedup-correlator',
    '@tocsin/incident-store',
    '@tocsin/rca-trigger',
    '@tocsin/outbound-dispatcher',
    '@tocsin/control-plane',
  ],
  message: 'libs and services never import an app; only all-in-one does',
};
/** A rebuild folds with the functions that project live (decision 27); nothing else of a service is the command line's business. */
const OTHER_APPS = { ...APPS, group: APPS.group.filter((name) => name !== '@tocsin/incident-store') };
const REBUILD_ONLY = { regex: '^@tocsin/incident-store(?!/rebuild$)', message: 'only @tocsin/incident-store/rebuild' };
const KAFKA_CLIENT = { group: ['kafkajs'], message: 'only event-log/src/kafka knows the Kafka client' };
const TESTING = { group: ['@tocsin/testing'], message: 'only specs and tools import the test harness' };
const ours = (...names) => ({
  group: names.map((name) => `@tocsin/${name}`).concat(names.map((name) => `@tocsin/${name}/*`)),
  message: 'see the import rules in ARCHITECTURE.md',
});
const only = (...patterns) => ({ 'no-restricted-imports': ['error', { patterns }] });

const folders = [
  ['libs/contracts', only(ours('*'), NEST, IO)],
  ['libs/domain', only(ours('connectors', 'egress', 'event-log', 'postgres', 'nest-shell', 'testing'), APPS, NEST, IO)],
  ['libs/connectors', only(ours('egress', 'event-log', 'postgres', 'nest-shell', 'testing'), APPS, NEST, IO)],
  ['libs/egress', only(ours('connectors', 'event-log', 'postgres', 'nest-shell', 'testing'), APPS, NEST, KAFKA_CLIENT)],
  ['libs/event-log', only(ours('domain', 'connectors', 'egress', 'postgres', 'nest-shell', 'testing'), APPS, NEST)],
  ['libs/postgres', only(ours('domain', 'connectors', 'egress', 'nest-shell', 'testing'), APPS, NEST, KAFKA_CLIENT)],
  ['libs/nest-shell', only(ours('domain', 'connectors', 'egress', 'testing'), APPS, KAFKA_CLIENT)],
  ['libs/testing', only(ours('domain', 'connectors', 'nest-shell'), APPS, NEST)],
  ...[
    'ingress-gateway',
    'normalizer',
    'dedup-correlator',
    'incident-store',
    'rca-trigger',
    'outbound-dispatcher',
    'control-plane',
  ].map((app) => [`apps/${app}`, only(APPS, TESTING, KAFKA_CLIENT)]),
  ['apps/cli', only(OTHER_APPS, REBUILD_ONLY, TESTING, KAFKA_CLIENT)],
  ['apps/all-in-one', only(TESTING, KAFKA_CLIENT)],
];

/** Clock, ids and randomness are arguments; only shells reach for the real ones (conventions 9). */
const impure = [
  {
    selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']",
    message: 'take the clock as an argument',
  },
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: 'take the clock as an argument' },
  {
    selector: "CallExpression[callee.object.name='Math'][callee.property.name='random']",
    message: 'take randomness as an argument',
  },
  { selector: "CallExpression[callee.name='randomUUID']", message: 'take ids as arguments' },
];
const ENV = { object: 'process', property: 'env', message: 'read configuration through config.ts' };
/**
 * The one way out: whatever a user may name is dialled by @tocsin/egress, which judges the address that is reached. Elsewhere a connection is only
 * opened to what the administrator or the code itself names: each of those files is listed here.
 */
const WAY_OUT = 'only @tocsin/egress opens connections to the outside';
const DIALLERS = [
  ['node:http', 'request', 'get', 'Agent', 'ClientRequest', 'WebSocket'],
  ['node:https', 'request', 'get', 'Agent'],
  ['node:http2', 'connect'],
  ['node:net', 'connect', 'createConnection', 'Socket', 'Stream'],
  ['node:tls', 'connect', 'TLSSocket'],
  ['node:dgram', 'createSocket', 'Socket'],
];
const bare = (name) => name.replace('node:', '');
const CLIENTS = ['undici', 'nodemailer', 'axios', 'got', 'node-fetch', 'ws', 'eventsource'];
/** What a rule for imports does not see. */
const PAST_IMPORTS = [
  ...['fetch', 'WebSocket', 'EventSource'].map((property) => ({
    ...{ object: 'globalThis', property, message: WAY_OUT },
  })),
  ...['require', 'process'].map((object) => ({ object, property: 'getBuiltinModule', message: WAY_OUT })),
];
const noWayOut = {
  '@typescript-eslint/no-restricted-imports': [
    'error',
    {
      paths: [
        ...DIALLERS.flatMap(([name, ...importNames]) =>
          [name, bare(name)].map((one) => ({
            ...{ name: one, importNames: [...importNames, 'default'], message: WAY_OUT, allowTypeImports: true },
          })),
        ),
        ...CLIENTS.map((name) => ({ name, message: WAY_OUT, allowTypeImports: true })),
      ],
      patterns: [{ group: CLIENTS.map((name) => `${name}/*`), message: WAY_OUT, allowTypeImports: true }],
    },
  ],
  'no-restricted-globals': [
    'error',
    ...['fetch', 'WebSocket', 'EventSource', 'XMLHttpRequest'].map((name) => ({ name, message: WAY_OUT })),
  ],
  'no-restricted-properties': ['error', ENV, ...PAST_IMPORTS],
};
/** Dynamic imports of the same modules; also where the clock may be read. */
const dynamicWayOut = {
  selector: `ImportExpression[source.value=/^((node:)?(http|https|http2|net|tls|dgram)|${CLIENTS.join('|')})$/]`,
  message: WAY_OUT,
};
/** The type check lets a list of any length pass for their optional keys; those beyond the third would be lost without a word. */
const keysOneByOne = {
  selector: 'CallExpression[callee.name=/^(valueAt|textAt)$/] > SpreadElement',
  message: 'name the keys one by one, or use valueAlong',
};
const MAY_DIAL = [
  'libs/egress/src/**',
  // The vendors' own certificates and keys: hosts and paths are pinned in the code.
  'apps/ingress-gateway/src/vendors/vendor-fetch.ts',
  // The mail server of SMTP_URL.
  'apps/outbound-dispatcher/src/notifications/smtp.ts',
  // The brokers of KAFKA_BROKERS.
  'libs/event-log/src/kafka/socket-gate.ts',
  'libs/event-log/src/kafka/failures/*.ts',
  // The command line's calls to the installation that its user names.
  'apps/cli/src/dead-letters-api.ts',
];
const SPECS = ['**/*.spec.ts', '**/spec/**', '**/conformance/**', 'libs/testing/**', 'tools/**'];

export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', '.nx/**', '.cache/**', '.tocsin/**'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { project: './tsconfig.check.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      'max-lines': ['error', { max: 300 }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      'max-params': ['error', 4],
      'max-depth': ['error', 3],
      'no-restricted-properties': ['error', ENV],
      'no-restricted-syntax': ['error', ...impure, dynamicWayOut, keysOneByOne],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': [
        'error',
        { fixStyle: 'separate-type-imports', disallowTypeAnnotations: false },
      ],
      '@typescript-eslint/no-extraneous-class': 'off',
      '@typescript-eslint/require-await': 'off',
    },
  },
  ...folders.map(([folder, rules]) => ({ files: [`${folder}/src/**/*.ts`], ignores: SPECS, rules })),
  { files: ['apps/**/*.ts', 'libs/**/*.ts'], ignores: [...SPECS, ...MAY_DIAL], rules: noWayOut },
  // Shells: the places where the real clock, randomness and environment enter.
  {
    files: [
      'libs/nest-shell/src/boot/*.ts',
      'libs/event-log/src/**/*.ts',
      'libs/postgres/src/**/*.ts',
      'apps/all-in-one/src/**/*.ts',
      'apps/cli/src/**/*.ts',
    ],
    rules: { 'no-restricted-syntax': ['error', dynamicWayOut, keysOneByOne] },
  },
  {
    files: ['**/config.ts', '**/main.ts', 'libs/nest-shell/src/boot/run-service.ts'],
    rules: { 'no-restricted-properties': ['error', ...PAST_IMPORTS] },
  },
  {
    files: SPECS,
    rules: {
      'max-lines': 'off',
      'max-lines-per-function': 'off',
      'max-params': 'off',
      'no-restricted-syntax': 'off',
      'no-restricted-properties': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
);
