import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * A small ServiceNow with the parts of the Table API that sync uses, written from the public documentation (facts only):
 * docs.servicenow.com, "Table API" (GET, POST, PATCH on /api/now/table/{tableName}: sysparm_query with ORDERBY, sysparm_fields, sysparm_limit,
 * sysparm_offset, sysparm_display_value; `{result}`, `{error: {message, detail}, status: 'failure'}`; fields that a table does not have are left out; an
 * invalid part of a query is ignored), "Inbound REST API rate limiting" (429, Retry-After), "OAuth 2.0 credentials" (/oauth_token.do, client credentials),
 * "Journal fields" (comments and work_notes are write-only columns; entries are rows of sys_journal_field). Times are UTC, seconds.
 */
export type Row = Record<string, string>;
export interface NowRequest {
  method: string;
  path: string;
  body: Row;
}
export type NowTrouble = (
  request: NowRequest,
) => { status?: number; headers?: Record<string, string>; message?: string; lose?: boolean } | undefined;

const JOURNAL = ['comments', 'work_notes'];
const STATES = ['1', '2', '3', '6', '7', '8'];
const timeOf = (at: Date): string => at.toISOString().slice(0, 19).replace('T', ' ');

export class ServiceNowServer {
  readonly incidents: Row[] = [];
  readonly journal: Row[] = [];
  readonly requests: NowRequest[] = [];
  trouble: NowTrouble = () => undefined;
  password = 'now-password-0123456789';
  /** OAuth: tokens that are good. */
  readonly tokens = new Set<string>();
  private next = 1;
  private readonly server = createServer((request, response) => void this.handle(request, response));
  port = 0;

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(this.port, '127.0.0.1', resolve));
    this.port = (this.server.address() as AddressInfo).port;
    return this;
  }
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }
  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.server.closeAllConnections();
      this.server.close(() => resolve());
    });
  }
  get writes(): NowRequest[] {
    return this.requests.filter(({ method, path }) => method !== 'GET' && !path.startsWith('/oauth'));
  }

  /** As a person does it in the form. Journal fields become entries. */
  change(row: Row, values: Row, by: string): void {
    const now = timeOf(new Date());
    for (const [name, value] of Object.entries(values))
      if (JOURNAL.includes(name)) this.enter(row, name, value, by);
      else if (name in row || name === 'close_code' || name === 'close_notes') row[name] = value;
    const count = String(Number(row['sys_mod_count'] ?? 0) + 1);
    Object.assign(row, { sys_updated_on: now, sys_updated_by: by, sys_mod_count: count });
  }
  add(values: Row, by: string): Row {
    const number = this.next++;
    const now = timeOf(new Date());
    const row: Row = {
      ...{ sys_id: number.toString(16).padStart(32, '0'), number: `INC${String(number).padStart(7, '0')}`, state: '1' },
      ...{
        short_description: '',
        description: '',
        impact: '3',
        urgency: '3',
        correlation_id: '',
        correlation_display: '',
      },
      ...{ category: '', sys_created_on: now, sys_updated_on: now, sys_updated_by: by, sys_mod_count: '0' },
    };
    this.incidents.push(row);
    this.change(row, values, by);
    return row;
  }
  private enter(row: Row, element: string, value: string, by: string): void {
    const id = `j${this.next++}`.padStart(32, '0');
    const at = { sys_created_on: timeOf(new Date()), sys_created_by: by };
    this.journal.push({ sys_id: id, element_id: row['sys_id'] ?? '', name: 'incident', element, value, ...at });
  }

  private async handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    const json = incoming.headers['content-type'] === 'application/json' && text !== '';
    const request: NowRequest = {
      ...{ method: incoming.method ?? 'GET', path: incoming.url ?? '/' },
      body: json ? (JSON.parse(text) as Row) : Object.fromEntries(new URLSearchParams(text)),
    };
    this.requests.push(request);
    const trouble = this.trouble(request);
    const fail = (status: number, message: string): [number, unknown] => [
      status,
      { error: { message, detail: '' }, status: 'failure' },
    ];
    const [status, body] = trouble?.status
      ? fail(trouble.status, trouble.message ?? 'Rate limit exceeded')
      : (this.answer(request, incoming.headers.authorization ?? '') ?? fail(404, 'No Record found'));
    if (trouble?.lose) return void response.destroy();
    response.writeHead(status, { 'content-type': 'application/json', ...trouble?.headers });
    response.end(JSON.stringify(body));
  }

  private answer({ method, path, body }: NowRequest, authorization: string): [number, unknown] | undefined {
    const url = new URL(path, this.url);
    if (url.pathname === '/oauth_token.do') return this.grant(body);
    const basic = `Basic ${Buffer.from(`tocsin.bot:${this.password}`).toString('base64')}`;
    const signedIn = authorization === basic || this.tokens.has(authorization.replace('Bearer ', ''));
    if (!signedIn)
      return [401, { error: { message: 'User Not Authenticated', detail: 'Required to provide Auth information' } }];
    const [, table = '', id] = /^\/api\/now\/table\/(\w+)(?:\/(\w+))?$/.exec(url.pathname) ?? [];
    const rows = this.tableOf(table);
    if (!rows) return [400, { error: { message: `Invalid table ${table}`, detail: null }, status: 'failure' }];
    const fields = url.searchParams.get('sysparm_fields')?.split(',');
    if (method === 'POST') return [201, { result: only(this.add(body, 'tocsin.bot'), fields) }];
    if (id === undefined) return [200, { result: queried(rows, url.searchParams).map((row) => only(row, fields)) }];
    const row = rows.find((one) => one['sys_id'] === id);
    if (!row) return undefined;
    if (method === 'PATCH') {
      if (body['state'] === '6' && !body['close_code'])
        return [
          403,
          { error: { message: 'Operation Failed', detail: 'Data Policy Exception: Close code is mandatory' } },
        ];
      this.change(row, body, 'tocsin.bot');
    }
    return [200, { result: only(row, fields) }];
  }

  private grant(body: Row): [number, unknown] {
    if (body['grant_type'] !== 'client_credentials' || body['client_secret'] !== this.password)
      return [401, { error: 'access_denied', error_description: 'access_denied' }];
    const token = `token-${this.next++}`;
    this.tokens.add(token);
    return [200, { access_token: token, token_type: 'Bearer', expires_in: 1799 }];
  }

  private tableOf(table: string): Row[] | undefined {
    if (table === 'incident') return this.incidents;
    if (table === 'sys_journal_field') return this.journal;
    if (table === 'sys_choice')
      return STATES.map((value) => ({ name: 'incident', element: 'state', inactive: 'false', value, label: value }));
    return table === 'sys_user' ? [{ user_name: 'tocsin.bot' }] : undefined;
  }
}

const only = (row: Row, fields: string[] | undefined): Row =>
  Object.fromEntries(Object.entries(row).filter(([name]) => !fields || fields.includes(name)));

/** Encoded queries: terms joined by ^, ^OR with the term before, ORDERBY. */
function queried(rows: readonly Row[], asked: URLSearchParams): Row[] {
  const parts = (asked.get('sysparm_query') ?? '').split(/\^(?!OR(?!DERBY))/);
  const order = parts.filter((part) => part.startsWith('ORDERBY')).map((part) => part.slice('ORDERBY'.length));
  const terms = parts.filter((part) => part !== '' && !part.startsWith('ORDERBY'));
  const found = rows.filter((row) => terms.every((term) => term.split('^OR').some((one) => holds(row, one))));
  const key = (row: Row): string => order.map((name) => row[name] ?? '').join(' ');
  const offset = Number(asked.get('sysparm_offset') ?? 0);
  return found
    .sort((a, b) => key(a).localeCompare(key(b)))
    .slice(offset, offset + Number(asked.get('sysparm_limit') ?? 10_000));
}

function holds(row: Row, term: string): boolean {
  const [, name = '', operator = '', value = ''] = /^([a-z_]+)(>=|=|IN|LIKE)(.*)$/s.exec(term) ?? [];
  const own = row[name];
  if (own === undefined) return true; // an invalid part is ignored
  if (operator === '>=') return own >= value;
  if (operator === 'IN') return value.split(',').includes(own);
  if (operator === 'LIKE') return own.toLowerCase().includes(value.toLowerCase());
  return value.startsWith('javascript:') || own === value;
}
