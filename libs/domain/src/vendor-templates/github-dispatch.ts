import { filters } from '../template/filters.ts';
import { textOf } from '../template/text-of.ts';
import { linkOf } from './message.ts';
import { text, textIn, TOKEN, under, type VendorTemplate } from './vendor-template.ts';

/** GitHub refuses payloads of more than 64 KB. */
const DATA_MAX = 50_000;

/** `repository_dispatch`: starts workflows that name the event, with dots as dashes. */
export const githubDispatch: VendorTemplate = {
  name: 'github-dispatch',
  title: 'GitHub Actions',
  description: 'Starts workflows by repository_dispatch; `types: [incident-created]` in a workflow names the event.',
  documentation: 'https://docs.github.com/en/rest/repos/repos#create-a-repository-dispatch-event',
  platforms: ['github'],
  parameters: [
    text('owner', 'The owner of the repository.', {
      pattern: { test: /^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,99})$/, says: 'must be the name of a user or an organisation' },
      example: 'acme',
    }),
    text('repo', 'The repository.', {
      pattern: { test: /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/, says: 'must be the name of a repository' },
      example: 'runbooks',
    }),
    text('token', 'A token that may write contents of the repository.', {
      secret: true,
      pattern: TOKEN,
      example: 'github_pat_XXXX',
    }),
    text('base_url', 'The API of a GitHub Enterprise Server: https://host/api/v3.', {
      ...{ type: 'url', required: false, default: 'https://api.github.com', example: 'https://api.github.com' },
    }),
  ],
  defaultEvents: ['incident.created', 'incident.resolved', 'recommendation.created'],
  body: ({ id, type, timestamp, workspace_id, data }) => ({
    event_type: textOf(filters['dashed']?.apply(type, [])).slice(0, 100),
    // GitHub takes at most ten properties here.
    client_payload: {
      ...{ event_id: id, type, timestamp, workspace_id },
      id: data['id'] ?? null,
      title: data['title'] ?? data['name'] ?? null,
      status: data['status'] ?? null,
      severity: data['severity'] ?? null,
      url: linkOf(data['url']),
      data: JSON.stringify(data).length <= DATA_MAX ? data : null,
    },
  }),
  target: (parameters) => ({
    url: under(
      textIn(parameters, 'base_url'),
      `/repos/${encodeURIComponent(textIn(parameters, 'owner'))}/${encodeURIComponent(textIn(parameters, 'repo'))}/dispatches`,
    ),
    headers: {
      accept: 'application/vnd.github+json',
      authorization: `Bearer ${textIn(parameters, 'token')}`,
      'x-github-api-version': '2022-11-28',
    },
  }),
};
