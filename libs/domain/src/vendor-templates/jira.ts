import { entryOf, messageOf, oneLine, within } from './message.ts';
import { paragraphsOf, recordKey, subjectIdOf, ticketEvents } from './tickets.ts';
import { basic, LINE, text, textIn, TOKEN, under, type Parameters, type VendorTemplate } from './vendor-template.ts';

const priorities: Readonly<Record<string, string>> = {
  critical: 'Highest',
  high: 'High',
  medium: 'Medium',
  low: 'Low',
  info: 'Lowest',
};
const onCloud = (parameters: Parameters): boolean => textIn(parameters, 'deployment') !== 'data-center';

/** Creates an issue: REST v3 with an Atlassian document on Cloud, v2 with plain text on Data Center. */
export const jira: VendorTemplate = {
  name: 'jira',
  title: 'Jira',
  description: 'Creates an issue for an incident, a recommendation or a finding.',
  documentation:
    'https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/#api-rest-api-3-issue-post',
  platforms: ['jira', 'jira-incident'],
  parameters: [
    text('base_url', 'The site.', { type: 'url', example: 'https://acme.atlassian.net' }),
    text('email', 'The account of the API token; not on Data Center.', {
      required: false,
      pattern: LINE,
      example: 'tocsin@acme.example',
    }),
    text('api_token', 'An API token; on Data Center a personal access token.', {
      secret: true,
      pattern: TOKEN,
      example: 'ATATT3XXXX',
    }),
    text('project_key', 'The key of the project.', {
      pattern: { test: /^[A-Z][A-Z0-9_]{1,30}$/, says: 'must be the key of a project, e.g. OPS' },
      example: 'OPS',
    }),
    text('issue_type', 'The type of the issue.', { required: false, pattern: LINE, default: 'Task', example: 'Task' }),
    text('deployment', 'Which Jira it is.', {
      ...{ required: false, values: ['cloud', 'data-center'], default: 'cloud', example: 'cloud' },
    }),
    {
      ...{ name: 'set_priority', type: 'boolean', required: false, secret: false, default: false, example: false },
      description: 'Whether to set the priority: Highest, High, Medium, Low or Lowest, where the project has these.',
    },
  ],
  check: (parameters) =>
    onCloud(parameters) && textIn(parameters, 'email') === ''
      ? { parameter: 'email', message: 'Jira Cloud needs the account of the API token' }
      : undefined,
  defaultEvents: ['incident.created', 'recommendation.created'],
  supportedEvents: ticketEvents,
  body: (event, parameters) => {
    const message = messageOf(event);
    const paragraphs = paragraphsOf(message).map((paragraph) => within(paragraph, 10_000));
    const priority = entryOf(priorities, event.data['severity']);
    return {
      fields: {
        project: { key: textIn(parameters, 'project_key') },
        issuetype: { name: textIn(parameters, 'issue_type') },
        summary: within(oneLine(message.headline), 255),
        description: onCloud(parameters) ? documentOf(paragraphs) : within(paragraphs.join('\n\n'), 30_000),
        labels: ['tocsin', labelOf(subjectIdOf(event))],
        ...(parameters['set_priority'] === true && priority ? { priority: { name: priority } } : {}),
      },
    };
  },
  target: (parameters) => ({
    url: under(textIn(parameters, 'base_url'), `/rest/api/${onCloud(parameters) ? 3 : 2}/issue`),
    headers: {
      accept: 'application/json',
      authorization: onCloud(parameters)
        ? basic(textIn(parameters, 'email'), textIn(parameters, 'api_token'))
        : `Bearer ${textIn(parameters, 'api_token')}`,
    },
  }),
  linkOf: ({ parameters, answered }) => {
    const key = recordKey(answered?.['key']);
    const page = under(textIn(parameters, 'base_url'), `/browse/${encodeURIComponent(key ?? '')}`);
    return key === undefined ? undefined : { id: key, url: page };
  },
};

/** Labels have no spaces and at most 255 characters. */
const labelOf = (id: string): string => within(id.replaceAll(/\s+/gu, '-'), 255);

/** A text as an Atlassian document: paragraphs, with line breaks inside them. */
const documentOf = (paragraphs: readonly string[]) => ({
  type: 'doc',
  version: 1,
  content: paragraphs.map((paragraph) => ({ type: 'paragraph', content: linesOf(paragraph) })),
});

/** Text nodes must not be empty. */
const linesOf = (paragraph: string): object[] =>
  paragraph
    .split(/\r\n|\r|\n/)
    .flatMap((line, index) => [
      ...(index === 0 ? [] : [{ type: 'hardBreak' }]),
      ...(line === '' ? [] : [{ type: 'text', text: line }]),
    ]);
