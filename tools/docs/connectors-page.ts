import { connectors } from '@tocsin/connectors';
import { code, table } from './markdown.ts';

const list = (names: readonly string[]): string => names.map(code).join(', ') || '–';

export const connectorsPage = (): string => `
Each has a folder with samples and a README (set-up, authentication, what resolves, traps) under \`libs/connectors/src\`.
A webhook's \`connector\` is one of these ids; \`/api/integrations/{name}\` takes the id or one of the other names.

${table(
  [
    'connector',
    'title',
    'category',
    'kind',
    'other names',
    'authentication',
    'may be switched to',
    'signature headers',
    'resend is known by',
    'answers',
    'resolves',
  ],
  connectors.map(({ source }) => [
    `[${source.id}](../../libs/connectors/src/${source.id}/README.md)`,
    source.title,
    source.category,
    source.kind,
    list(source.slugs),
    code(source.auth.default),
    list(source.auth.also),
    list(source.auth.signatureHeaders ?? []),
    list(source.deliveryIdHeaders),
    source.respond === 'wait' ? '200 after the decision' : '202 once durable',
    source.resolves ? 'yes' : 'no',
  ]),
)}

In this version the control-plane takes \`bearer\`, \`hmac\` and \`none\`, and refuses a webhook with another method.
A sender can always ask with \`Prefer: wait=N\` or \`Prefer: respond-async\`; a webhook sets \`respond\`.
`;
