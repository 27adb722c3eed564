import type { SyncLinkDocument, SyncedIncident } from '@tocsin/contracts';
import { canonical, mapsOf, valueFor } from '@tocsin/domain/sync';
import type { LinkHttp } from './link-http.ts';
import { checkServiceNow } from './servicenow-check.ts';
import { currentUser } from './servicenow-user.ts';
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

const PAGE = 100;
type Row = Record<string, string>;
interface Journal {
  sys_id: string;
  value: string;
  element: string;
  sys_created_by: string;
  sys_created_on: string;
}

/** Times of the Table API are UTC without saying so: `2026-03-01 10:00:00`. */
const instantOf = (text: string): string => new Date(`${text.replace(' ', 'T')}Z`).toISOString();
const timeOf = (at: Date): string => at.toISOString().slice(0, 19).replace('T', ' ');
/** `^` separates the parts of an encoded query. */
const term = (text: string): string => text.replaceAll('^', '^^');

/** ServiceNow's Table API, on the incident table or another one that is built like it. */
export class ServiceNowSystem implements TicketSystem {
  private me: string | undefined;

  constructor(
    private readonly http: LinkHttp,
    private readonly link: SyncLinkDocument,
  ) {}

  find = (incidentId: string): Promise<TicketRef | null> =>
    this.first(`correlation_id=${term(incidentId)}^ORDERBYsys_created_on`);

  take = (key: string): Promise<TicketRef | null> => this.first(`number=${term(key)}^ORsys_id=${term(key)}`);

  async create(incident: SyncedIncident): Promise<TicketRef> {
    const pairs = mapsOf(this.link.body, 'out').map((map) => [map.external, valueFor(map, incident)] as const);
    const body = {
      ...Object.fromEntries(pairs.filter(([, text]) => text !== '')),
      ...this.link.body.createFields,
      ...{ correlation_id: incident.id, correlation_display: 'Tocsin' },
    };
    const query = { sysparm_fields: 'sys_id,number,correlation_id' };
    const { result } = await this.http.json<{ result: Row }>(this.path(), { method: 'POST', query, body });
    return this.refOf(result);
  }

  async read(id: string): Promise<Ticket> {
    const maps = this.link.body.fieldMap;
    const names = ['sys_id', 'number', 'state', 'sys_updated_on', 'sys_updated_by', 'sys_mod_count'];
    const query = { sysparm_fields: [...names, ...maps.map(({ external }) => external)].join(','), ...RAW };
    const { result } = await this.http.json<{ result: Row }>(this.path(id), { query });
    // One time and one author for the whole record, so neither says who set a single field: `own` is left open.
    const by = await this.authorOf(result['sys_updated_by'] ?? '');
    const at = instantOf(result['sys_updated_on'] ?? '');
    const of = (name: string): TicketValue => ({ value: canonical(result[name] ?? ''), at, own: null, by });
    const values: Record<string, TicketValue> = { status: of('state') };
    for (const { external } of maps) values[external] = of(external);
    return { ...this.refOf(result), version: versionOf(result), values };
  }

  async write(id: string, values: Readonly<Record<string, string>>): Promise<void> {
    await this.http.json(this.path(id), { method: 'PATCH', query: { sysparm_fields: 'sys_id' }, body: values });
  }

  async setStatus(id: string, status: string, fields: Readonly<Record<string, unknown>>): Promise<string> {
    const query = { sysparm_fields: 'state', ...RAW };
    const body = { ...fields, state: status };
    const { result } = await this.http.json<{ result: Row }>(this.path(id), { method: 'PATCH', query, body });
    if (result['state'] === status) return status;
    throw new SyncFailure(
      'rejected',
      `state stayed ${result['state'] ?? ''}: a rule of the instance does not let it become ${status}`,
    );
  }

  /** A journal entry gets its id on the other side only: it is known by its author. */
  async comment(id: string, text: string, internal: boolean): Promise<string | null> {
    const body = internal ? { work_notes: text } : { comments: text };
    await this.http.json(this.path(id), { method: 'PATCH', query: { sysparm_fields: 'sys_id' }, body });
    return null;
  }

  async findComment(id: string, eventId: string): Promise<string | null> {
    const query = `element_id=${term(id)}^valueLIKE(${term(eventId)})`;
    return (await this.journal(query, 1))[0]?.sys_id ?? null;
  }

  async comments(id: string, since: Date): Promise<TicketComment[]> {
    const me = await this.myself();
    const query = `element_id=${term(id)}^elementINcomments,work_notes^sys_created_on>=${timeOf(since)}^ORDERBYsys_created_on`;
    const entries = await this.journal(query, 1_000);
    return entries.map((entry) => ({
      ...{ id: entry.sys_id, text: entry.value, internal: entry.element === 'work_notes' },
      at: instantOf(entry.sys_created_on),
      ...{ by: { id: entry.sys_created_by, name: entry.sys_created_by }, own: entry.sys_created_by === me },
    }));
  }

  async *changed(since: Date): AsyncIterable<ChangedTicket[]> {
    const query = `sys_updated_on>=${timeOf(since)}^ORDERBYsys_updated_on^ORDERBYsys_id`;
    for (let offset = 0; ; offset += PAGE) {
      const { result } = await this.http.json<{ result: Row[] }>(this.path(), {
        query: {
          ...{ sysparm_query: query, sysparm_fields: 'sys_id,sys_updated_on,sys_mod_count', ...RAW },
          ...{ sysparm_limit: String(PAGE), sysparm_offset: String(offset) },
        },
      });
      yield result.map((row) => ({
        ...{ id: row['sys_id'] ?? '', version: versionOf(row), updatedAt: instantOf(row['sys_updated_on'] ?? '') },
      }));
      if (result.length < PAGE) return;
    }
  }

  check = (): Promise<CheckItem[]> => checkServiceNow(this.http, this.link.body);

  private path = (id?: string): string =>
    `/api/now/table/${encodeURIComponent(this.link.body.table ?? '')}${id === undefined ? '' : `/${encodeURIComponent(id)}`}`;

  private refOf({ sys_id: id = '', number = id }: Row): TicketRef {
    const { baseUrl, table } = this.link.body;
    const page = `${encodeURIComponent(table ?? '')}.do?sys_id=${encodeURIComponent(id)}`;
    return { id, key: number, url: `${baseUrl.replace(/\/+$/, '')}/nav_to.do?uri=${encodeURIComponent(page)}` };
  }

  private async first(query: string): Promise<TicketRef | null> {
    const asked = { sysparm_query: query, sysparm_fields: 'sys_id,number', sysparm_limit: '1', ...RAW };
    const { result } = await this.http.json<{ result: Row[] }>(this.path(), { query: asked });
    return result[0] ? this.refOf(result[0]) : null;
  }

  private async journal(query: string, limit: number): Promise<Journal[]> {
    const fields = 'sys_id,value,element,sys_created_by,sys_created_on';
    const asked = { sysparm_query: query, sysparm_fields: fields, sysparm_limit: String(limit), ...RAW };
    return (await this.http.json<{ result: Journal[] }>('/api/now/table/sys_journal_field', { query: asked })).result;
  }

  private async authorOf(userName: string): Promise<Author | null> {
    return userName === '' || userName === (await this.myself()) ? null : { id: userName, name: userName };
  }

  private async myself(): Promise<string> {
    const { method, username } = this.link.body.auth;
    if (method !== 'oauth2' && username !== null) return username;
    return (this.me ??= await currentUser(this.http));
  }
}

const RAW = { sysparm_display_value: 'false', sysparm_exclude_reference_link: 'true' };

/** Seconds are coarse; the count of changes tells two in one second apart. */
const versionOf = (row: Row): string => `${row['sys_updated_on'] ?? ''}/${row['sys_mod_count'] ?? ''}`;
