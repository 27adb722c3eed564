import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * A small Jira with the parts of REST API 2 that sync uses, written from the public documentation (facts only):
 * developer.atlassian.com/cloud/jira/platform/rest/v2/: intro (basic auth with an API token, errors as `errorMessages` and `errors`), api-group-issues
 * (create, edit, transitions, expand=changelog), api-group-issue-search (`/search/jql`, `nextPageToken`), api-group-issue-comments, api-group-permissions,
 * api-group-projects, api-group-myself, api-group-server-info; developer.atlassian.com/cloud/jira/platform/rate-limiting/ (429, Retry-After);
 * docs.atlassian.com/software/jira/docs/api/REST/9.17.0/ (Data Center: `/search` with startAt and total).
 */
export interface JiraUser {
  accountId: string;
  displayName: string;
}
export const INTEGRATION: JiraUser = { accountId: 'tocsin-bot', displayName: 'Tocsin' };
export const MIA: JiraUser = { accountId: '5b10a2844c', displayName: 'Mia Krystof' };

interface History {
  id: string;
  author: JiraUser;
  created: string;
  items: { field: string; fieldId: string; fromString: string | null; toString: string | null }[];
}
export interface JiraIssue {
  id: string;
  key: string;
  fields: Record<string, unknown> & { labels: string[]; status: { name: string }; updated: string; created: string };
  histories: History[];
  comments: { id: string; author: JiraUser; body: string; created: string; jsdPublic: boolean }[];
}
export interface JiraRequest {
  method: string;
  path: string;
  authorization: string;
  body: Record<string, unknown>;
}

/** Answers in the place of Jira; undefined = Jira itself answers. `wait` delays. `lose` = it is done, and the connection breaks. */
export type Trouble = (
  request: JiraRequest,
) => { status?: number; headers?: Record<string, string>; body?: unknown; lose?: boolean; waitMs?: number } | undefined;

const STATUSES = ['To Do', 'In Progress', 'Done'];
/** Which status leads where: nothing leads straight from To Do to Done. */
const WAYS: Record<string, string[]> = {
  'To Do': ['In Progress', 'Done'],
  'In Progress': ['To Do', 'Done'],
  Done: ['To Do', 'In Progress'],
};
const PRIORITIES = ['Highest', 'High', 'Medium', 'Low', 'Lowest'];
const stamp = (at: Date): string => at.toISOString().replace('Z', '+0000');

export class JiraServer {
  readonly issues: JiraIssue[] = [];
  readonly requests: JiraRequest[] = [];
  trouble: Trouble = () => undefined;
  cloud = true;
  token = 'jira-token-0123456789';
  permissions = ['BROWSE_PROJECTS', 'CREATE_ISSUES', 'ADD_COMMENTS', 'TRANSITION_ISSUES', 'EDIT_ISSUES'];
  /** Search answers know an issue only after so long, as Jira Cloud's index. */
  indexedAfterMs = 0;
  private next = 1;
  private readonly server = createServer((request, response) => void this.handle(request, response));

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(this.port, '127.0.0.1', resolve));
    this.port = (this.server.address() as AddressInfo).port;
    return this;
  }
  port = 0;
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.server.closeAllConnections();
      this.server.close(() => resolve());
    });
  }

  get writes(): JiraRequest[] {
    return this.requests.filter(({ method }) => method !== 'GET');
  }

  /** As a person does it in the browser. */
  moveTo(issue: JiraIssue, status: string, by = MIA): void {
    this.change(issue, 'status', { name: status }, by);
  }
  edit(issue: JiraIssue, field: string, value: unknown, by = MIA): void {
    this.change(issue, field, value, by);
  }
  say(issue: JiraIssue, body: string, by = MIA, jsdPublic = true): void {
    const now = new Date();
    issue.comments.push({ id: String(this.next++), author: by, body, created: stamp(now), jsdPublic });
    issue.fields.updated = stamp(now);
  }
  add(fields: Record<string, unknown>, by = MIA): JiraIssue {
    const now = stamp(new Date());
    const number = this.issues.length + 1;
    const issue: JiraIssue = {
      ...{ id: String(10_000 + number), key: `OPS-${number}`, histories: [], comments: [] },
      fields: { labels: [], ...fields, status: { name: 'To Do' }, creator: by, created: now, updated: now },
    };
    this.issues.push(issue);
    return issue;
  }

  private change(issue: JiraIssue, field: string, value: unknown, author: JiraUser): void {
    const created = stamp(new Date());
    const words = (of: unknown): string | null =>
      typeof of === 'string' ? of : ((of as { name?: string } | null)?.name ?? null);
    const item = { field, fieldId: field, fromString: words(issue.fields[field]), toString: words(value) };
    issue.histories.unshift({ id: String(this.next++), author, created, items: [item] });
    issue.fields[field] = value;
    issue.fields.updated = created;
  }

  private async handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    const request: JiraRequest = {
      ...{ method: incoming.method ?? 'GET', path: incoming.url ?? '/' },
      ...{
        authorization: incoming.headers.authorization ?? '',
        body: text ? (JSON.parse(text) as JiraRequest['body']) : {},
      },
    };
    this.requests.push(request);
    const trouble = this.trouble(request);
    if (trouble?.waitMs) await new Promise((resolve) => setTimeout(resolve, trouble.waitMs));
    if (trouble?.status) return send(response, trouble.status, trouble.body ?? { errorMessages: [] }, trouble.headers);
    const [status, body] = this.answer(request);
    if (trouble?.lose) response.destroy();
    else send(response, status, body);
  }

  private answer({ method, path, authorization, body }: JiraRequest): [number, unknown] {
    const basic = `Basic ${Buffer.from(`bot@example.com:${this.token}`).toString('base64')}`;
    if (authorization !== basic)
      return [401, { errorMessages: ['Client must be authenticated to access this resource.'] }];
    const url = new URL(path, this.url);
    const at = url.pathname.replace('/rest/api/2', '');
    const query = url.searchParams;
    if (at === '/myself') return [200, INTEGRATION];
    if (at === '/serverInfo') return [200, { deploymentType: this.cloud ? 'Cloud' : 'Server' }];
    if (at === (this.cloud ? '/search/jql' : '/search')) return this.search(query);
    if (at === '/mypermissions') return [200, { permissions: this.held(query.get('permissions') ?? '') }];
    if (at === '/project/OPS') return [200, { key: 'OPS', issueTypes: [{ id: '3', name: 'Task' }] }];
    if (at === '/project/OPS/statuses')
      return [200, [{ id: '3', name: 'Task', statuses: STATUSES.map((name) => ({ name })) }]];
    if (at === '/issue/createmeta/OPS/issuetypes/3') return [200, META];
    if (at === '/issue' && method === 'POST') return this.create(body);
    const [, key, part] = /^\/issue\/([^/]+)(?:\/(\w+))?$/.exec(at) ?? [];
    const issue = this.issues.find((one) => one.id === key || one.key === key);
    if (!issue)
      return [404, { errorMessages: ['Issue does not exist or you do not have permission to see it.'], errors: {} }];
    if (part === 'comment') return method === 'POST' ? this.comment(issue, body) : this.listComments(issue, query);
    if (part === 'transitions')
      return method === 'POST' ? this.transition(issue, body) : [200, { transitions: waysOf(issue) }];
    if (method === 'PUT') return this.update(issue, body);
    return [200, { id: issue.id, key: issue.key, fields: issue.fields, changelog: { histories: issue.histories } }];
  }

  private held(asked: string): Record<string, { havePermission: boolean }> {
    return Object.fromEntries(
      asked.split(',').map((name) => [name, { havePermission: this.permissions.includes(name) }]),
    );
  }

  private create(body: Record<string, unknown>): [number, unknown] {
    const fields = body['fields'] as Record<string, unknown>;
    const wrong = refused(fields);
    if (wrong) return [400, { errorMessages: [], errors: wrong }];
    const { id, key } = this.add(fields, INTEGRATION);
    return [201, { id, key, self: `${this.url}/rest/api/2/issue/${id}` }];
  }

  private update(issue: JiraIssue, body: Record<string, unknown>): [number, unknown] {
    const fields = body['fields'] as Record<string, unknown>;
    const wrong = refused({ summary: 'x', ...fields });
    if (wrong) return [400, { errorMessages: [], errors: wrong }];
    for (const [name, value] of Object.entries(fields)) this.change(issue, name, value, INTEGRATION);
    return [204, undefined];
  }

  private transition(issue: JiraIssue, body: Record<string, unknown>): [number, unknown] {
    const way = waysOf(issue).find(({ id }) => id === (body['transition'] as { id: string }).id);
    if (!way)
      return [400, { errorMessages: ['It seems that you have tried to perform an illegal workflow operation.'] }];
    this.change(issue, 'status', way.to, INTEGRATION);
    return [204, undefined];
  }

  private comment(issue: JiraIssue, body: Record<string, unknown>): [number, unknown] {
    this.say(issue, String(body['body']), INTEGRATION, body['properties'] === undefined);
    return [201, issue.comments.at(-1)];
  }

  private listComments(issue: JiraIssue, query: URLSearchParams): [number, unknown] {
    const startAt = Number(query.get('startAt') ?? 0);
    const maxResults = Number(query.get('maxResults') ?? 50);
    const ordered = query.get('orderBy') === '-created' ? [...issue.comments].reverse() : issue.comments;
    const comments = ordered.slice(startAt, startAt + maxResults);
    return [200, { startAt, maxResults, total: issue.comments.length, comments }];
  }

  /** Knows the two queries of sync, and refuses others. */
  private search(query: URLSearchParams): [number, unknown] {
    const jql = query.get('jql') ?? '';
    const [, label, minutes] =
      /^project = "OPS" AND (?:labels = "([^"]+)"|updated >= "-(\d+)m") ORDER BY/.exec(jql) ?? [];
    if (!label && !minutes) return [400, { errorMessages: [`Error in the JQL Query: ${jql}`] }];
    const since = Date.now() - Number(minutes ?? 0) * 60_000;
    const found = this.issues
      .filter(({ fields }) => Date.now() - Date.parse(iso(fields.created)) >= this.indexedAfterMs)
      .filter(({ fields }) => (label ? fields.labels.includes(label) : Date.parse(iso(fields.updated)) >= since))
      .sort((a, b) => a.fields.updated.localeCompare(b.fields.updated));
    const size = Math.min(Number(query.get('maxResults') ?? 50), this.pageSize);
    const startAt = Number(query.get('nextPageToken')?.slice(1) ?? query.get('startAt') ?? 0);
    const issues = found.slice(startAt, startAt + size).map(({ id, key, fields }) => ({ id, key, fields }));
    const end = startAt + size >= found.length;
    if (!this.cloud) return [200, { startAt, maxResults: size, total: found.length, issues }];
    return [200, { issues, isLast: end, ...(end ? {} : { nextPageToken: `p${startAt + size}` }) }];
  }
  pageSize = 2;
}

const iso = (text: string): string => text.replace('+0000', 'Z');
const waysOf = ({ fields }: JiraIssue) =>
  (WAYS[fields.status.name] ?? []).map((to) => ({
    id: String(11 + STATUSES.indexOf(to) * 10),
    name: `Move to ${to}`,
    to: { name: to },
  }));

/** As Jira says what is wrong with fields. */
function refused({ summary, priority }: Record<string, unknown>): Record<string, string> | undefined {
  if (typeof summary !== 'string' || summary.trim() === '')
    return { summary: 'You must specify a summary of the issue.' };
  if (summary.includes('\n')) return { summary: 'The summary is invalid because it contains newline characters.' };
  const name = (priority as { name?: string } | null | undefined)?.name;
  return name === undefined || PRIORITIES.includes(name)
    ? undefined
    : { priority: `Priority name '${name}' is not valid` };
}

const META = {
  fields: [
    { fieldId: 'summary' },
    { fieldId: 'description' },
    { fieldId: 'labels' },
    { fieldId: 'priority', allowedValues: PRIORITIES.map((name) => ({ name })) },
  ],
};

function send(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(body === undefined ? '' : JSON.stringify(body));
}
