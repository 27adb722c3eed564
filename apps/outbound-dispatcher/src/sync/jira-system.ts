import type { SyncLinkDocument, SyncedIncident } from '@tocsin/contracts';
import { canonical, mapsOf, valueFor } from '@tocsin/domain/sync';
import { checkJira } from './jira-check.ts';
import type { LinkHttp } from './link-http.ts';
import {
  SyncFailure,
  type Author,
  type ChangedTicket,
  type CheckItem,
  type Ticket,
  type TicketComment,
  type TicketRef,
  type TicketSystem,
  type TicketValue,
} from './ticket-system.ts';

/** REST API version 2: the same on Jira Cloud and Data Center, with texts as texts. */
const API = '/rest/api/2';
const PAGE = 50;

interface JiraUser {
  accountId?: string;
  name?: string;
  displayName?: string;
}
interface History {
  author?: JiraUser;
  created: string;
  items: { field: string; fieldId?: string }[];
}
interface Issue {
  id: string;
  key: string;
  fields: Record<string, unknown> & { updated: string; created: string; creator?: JiraUser };
  changelog?: { histories: History[] };
}
interface SearchPage {
  issues: Issue[];
  nextPageToken?: string;
  isLast?: boolean;
  startAt?: number;
  total?: number;
}
interface Comment {
  id: string;
  body: string;
  author?: JiraUser;
  created: string;
  jsdPublic?: boolean;
}

const idOf = (user: JiraUser | undefined): string => user?.accountId ?? user?.name ?? 'unknown';
const authorOf = (user: JiraUser | undefined): Author => ({ id: idOf(user), name: user?.displayName ?? idOf(user) });
/** `2026-03-01T10:00:00.000+0000`: no colon in the offset. */
const instantOf = (text: string): string => new Date(text.replace(/([+-]\d\d)(\d\d)$/, '$1:$2')).toISOString();
const quoted = (text: string): string => `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
const markOf = (incidentId: string): string => `tocsin-${incidentId}`;

/** Jira Cloud and Data Center. */
export class JiraSystem implements TicketSystem {
  private cloud: boolean | undefined;
  private me: string | undefined;

  constructor(
    private readonly http: LinkHttp,
    private readonly link: SyncLinkDocument,
  ) {}

  async find(incidentId: string): Promise<TicketRef | null> {
    const jql = `project = ${quoted(this.project)} AND labels = ${quoted(markOf(incidentId))} ORDER BY created ASC`;
    for await (const [issue] of this.search(jql, 'created')) if (issue) return this.refOf(issue);
    return null;
  }

  async take(key: string): Promise<TicketRef | null> {
    try {
      return this.refOf(
        await this.http.json<Issue>(`${API}/issue/${encodeURIComponent(key)}`, { query: { fields: 'created' } }),
      );
    } catch (error) {
      if (error instanceof SyncFailure && error.kind === 'gone') return null;
      throw error;
    }
  }

  async create(incident: SyncedIncident): Promise<TicketRef> {
    const { issueType, createFields } = this.link.body;
    const fields = {
      ...this.fieldsFor(incident),
      ...createFields,
      ...{ project: { key: this.project }, issuetype: { name: issueType }, labels: this.labels(incident.id) },
    };
    return this.refOf(await this.http.json<Issue>(`${API}/issue`, { method: 'POST', body: { fields } }));
  }

  async read(id: string): Promise<Ticket> {
    const maps = this.link.body.fieldMap;
    const names = [...new Set(['status', 'created', 'updated', 'creator', ...maps.map(({ external }) => external)])];
    const query = { fields: names.join(','), expand: 'changelog' };
    const issue = await this.http.json<Issue>(`${API}/issue/${encodeURIComponent(id)}`, { query });
    const me = await this.myself();
    const values: Record<string, TicketValue> = { status: valueOf(issue, 'status', 'name', me) };
    for (const { external, format } of maps) values[external] = valueOf(issue, external, format, me);
    return { ...this.refOf(issue), version: issue.fields.updated, values };
  }

  async write(id: string, values: Readonly<Record<string, string>>): Promise<void> {
    const fields = Object.fromEntries(Object.entries(values).map(([name, text]) => [name, this.formed(name, text)]));
    await this.http.json(`${API}/issue/${encodeURIComponent(id)}`, { method: 'PUT', body: { fields } });
  }

  async setStatus(id: string, status: string, fields: Readonly<Record<string, unknown>>): Promise<string> {
    const path = `${API}/issue/${encodeURIComponent(id)}/transitions`;
    const { transitions } = await this.http.json<{ transitions: { id: string; name: string; to: { name: string } }[] }>(
      path,
    );
    const is = (text: string): boolean => text.toLowerCase() === status.toLowerCase();
    const way = transitions.find(({ to }) => is(to.name)) ?? transitions.find(({ name }) => is(name));
    if (!way) {
      const there = transitions.map(({ to }) => to.name).join(', ') || 'none';
      throw new SyncFailure(
        'rejected',
        `no transition leads to “${status}” from where the issue is; there are: ${there}`,
      );
    }
    const body = { transition: { id: way.id }, ...(Object.keys(fields).length > 0 ? { fields } : {}) };
    await this.http.json(path, { method: 'POST', body });
    return way.to.name;
  }

  /** The property makes it an internal note where the project is one of Jira Service Management; others do not mind it. */
  async comment(id: string, text: string, internal: boolean): Promise<string | null> {
    const properties = internal ? [{ key: 'sd.public.comment', value: { internal: true } }] : [];
    const body = { body: text, ...(internal ? { properties } : {}) };
    const path = `${API}/issue/${encodeURIComponent(id)}/comment`;
    return (await this.http.json<Comment>(path, { method: 'POST', body })).id;
  }

  async findComment(id: string, eventId: string): Promise<string | null> {
    for await (const page of this.newestComments(id)) {
      const found = page.find(({ body }) => body.includes(`(${eventId})`));
      if (found) return found.id;
    }
    return null;
  }

  async comments(id: string, since: Date): Promise<TicketComment[]> {
    const me = await this.myself();
    const found: TicketComment[] = [];
    for await (const page of this.newestComments(id)) {
      const fresh = page.filter(({ created }) => new Date(instantOf(created)) >= since);
      found.push(
        ...fresh.map(({ id: commentId, body, author, created, jsdPublic }) => ({
          ...{ id: commentId, text: body, internal: jsdPublic === false, at: instantOf(created) },
          ...{ by: authorOf(author), own: idOf(author) === me },
        })),
      );
      if (fresh.length < page.length) break;
    }
    return found.reverse();
  }

  async *changed(since: Date): AsyncIterable<ChangedTicket[]> {
    // Minutes before now: dates without a zone would be read in the time zone of our user.
    const minutes = Math.max(1, Math.ceil((this.http.now() - since.getTime()) / 60_000));
    const jql = `project = ${quoted(this.project)} AND updated >= "-${minutes}m" ORDER BY updated ASC`;
    for await (const issues of this.search(jql, 'updated'))
      yield issues.map(({ id, fields: { updated } }) => ({ id, version: updated, updatedAt: instantOf(updated) }));
  }

  check = (): Promise<CheckItem[]> => checkJira(this.http, this.link.body);

  private get project(): string {
    return this.link.body.project ?? '';
  }

  private labels(incidentId: string): string[] {
    const more = this.link.body.createFields['labels'];
    return ['tocsin', markOf(incidentId), ...(Array.isArray(more) ? (more as string[]) : [])];
  }

  private refOf = ({ id, key }: Issue): TicketRef => ({
    ...{ id, key, url: `${this.link.body.baseUrl.replace(/\/+$/, '')}/browse/${encodeURIComponent(key)}` },
  });

  private fieldsFor(incident: SyncedIncident): Record<string, unknown> {
    const pairs = mapsOf(this.link.body, 'out').map((map) => [map.external, valueFor(map, incident)] as const);
    return Object.fromEntries(
      pairs.filter(([, text]) => text !== '').map(([name, text]) => [name, this.formed(name, text)]),
    );
  }

  private formed(external: string, text: string): unknown {
    const format = this.link.body.fieldMap.find((map) => map.external === external)?.format ?? 'text';
    if (format === 'text') return external === 'summary' ? oneLine(text) : text;
    return text === '' ? null : { [format]: text };
  }

  private async myself(): Promise<string> {
    return (this.me ??= idOf(await this.http.json<JiraUser>(`${API}/myself`)));
  }

  private async isCloud(): Promise<boolean> {
    const { deploymentType } = await this.http.json<{ deploymentType?: string }>(`${API}/serverInfo`);
    return deploymentType === 'Cloud';
  }

  /** Cloud pages by token, Data Center by number. */
  private async *search(jql: string, fields: string): AsyncGenerator<Issue[]> {
    this.cloud ??= await this.isCloud();
    let more: Record<string, string> | null = {};
    while (more) {
      const query: Record<string, string> = { jql, fields, maxResults: String(PAGE), ...more };
      const page: SearchPage = await this.http.json(`${API}/search${this.cloud ? '/jql' : ''}`, { query });
      yield page.issues;
      const next = (page.startAt ?? 0) + page.issues.length;
      if (this.cloud) more = page.nextPageToken && page.isLast !== true ? { nextPageToken: page.nextPageToken } : null;
      else more = page.issues.length > 0 && next < (page.total ?? 0) ? { startAt: String(next) } : null;
    }
  }

  private async *newestComments(id: string): AsyncGenerator<Comment[]> {
    for (let startAt = 0; ; startAt += PAGE) {
      const query = { orderBy: '-created', startAt: String(startAt), maxResults: String(PAGE) };
      const path = `${API}/issue/${encodeURIComponent(id)}/comment`;
      const { comments, total } = await this.http.json<{ comments: Comment[]; total: number }>(path, { query });
      yield comments;
      if (comments.length === 0 || startAt + comments.length >= total) return;
    }
  }
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim().slice(0, 254).toWellFormed();

/** A field with its last change; what was never changed is as old as the issue. */
function valueOf(...[issue, name, format, me]: [Issue, string, string, string]): TicketValue {
  const value = issue.fields[name];
  const text = format === 'text' ? value : (value as Record<string, unknown> | null | undefined)?.[format];
  const change = (issue.changelog?.histories ?? [])
    .filter(({ items }) => items.some(({ field, fieldId }) => field === name || fieldId === name))
    .sort((a, b) => Date.parse(instantOf(b.created)) - Date.parse(instantOf(a.created)))[0];
  const by = change ? change.author : issue.fields.creator;
  return {
    value: canonical(typeof text === 'string' || typeof text === 'number' ? String(text) : ''),
    ...{ at: instantOf(change?.created ?? issue.fields.created), own: by ? idOf(by) === me : null },
    by: by ? authorOf(by) : null,
  };
}
