import { verify } from 'node:crypto';
import {
  checkpointText,
  OrderAudit,
  StreamAudit,
  type AuditCode,
  type AuditedEvent,
  type AuditedPlace,
  type AuditFinding,
  type Erased,
} from '@tocsin/domain/incident';
import type { createPools, Tx } from '@tocsin/postgres';

type Database = ReturnType<typeof createPools>['pipeline'];

/** PEM of the key with this id; undefined where no key is at hand. */
export type PublicKeys = ((keyId: string) => string | undefined) | undefined;

export interface AuditReport {
  events: number;
  places: number;
  checkpoints: number;
  /** Checkpoints whose key is not at hand. */
  unverified: number;
  /** Contents that were erased, each by an event that vouches for what stands there now; and the first of those events. */
  erased: number;
  erasures: Erased[];
  findings: number;
  /** The first ones. */
  shown: AuditFinding[];
}

const PAGE = 5_000;
const SHOWN_MAX = 100;

/** Reads the whole incident log in one snapshot and says what does not fit. */
export async function audited(database: Database, keys: PublicKeys): Promise<AuditReport> {
  const client = await database.connect();
  try {
    // One snapshot: what is written meanwhile is not half seen. Reading a large log may take longer than a statement may elsewhere.
    await client.query('begin transaction isolation level repeatable read read only');
    await client.query(`set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0`);
    const report = await new Audit(client, keys).run();
    await client.query('commit');
    return report;
  } finally {
    client.release(true);
  }
}

type Client = Tx;

class Audit {
  private readonly report: AuditReport = {
    ...{ events: 0, places: 0, checkpoints: 0, unverified: 0, erased: 0, erasures: [], findings: 0, shown: [] },
  };
  private readonly chains = new Map<string, string>();
  private end = 0n;

  constructor(
    private readonly client: Client,
    private readonly keys: PublicKeys,
  ) {}

  async run(): Promise<AuditReport> {
    await this.streams();
    await this.heads();
    const signed = await this.client.query<CheckpointRow>(
      'select position, chain, at, key_id, signature from incident_store.audit_checkpoints order by position',
    );
    for (const { position } of signed.rows) this.chains.set(position, '');
    await this.order();
    await this.unordered();
    for (const row of signed.rows) this.checkpoint(row);
    return this.report;
  }

  private say(found: readonly AuditFinding[]): void {
    this.report.findings += found.length;
    this.report.shown.push(...found.slice(0, SHOWN_MAX - this.report.shown.length));
  }

  private found(code: AuditCode, at: string, detail: string): void {
    this.say([{ code, at, detail }]);
  }

  private async streams(): Promise<void> {
    const streams = new StreamAudit((erased) => {
      this.report.erased += erased.versions.length;
      if (this.report.erasures.length < SHOWN_MAX) this.report.erasures.push(erased);
    });
    for await (const row of pages<EventRow>(this.client, eventsSql)) {
      this.report.events += 1;
      this.say(streams.next(eventOf(row)));
    }
    this.say(streams.end());
  }

  /** A tail that was cut off a stream leaves its head behind. */
  private async heads(): Promise<void> {
    const { rows } = await this.client.query<{ stream_id: string; version: string; last: string | null }>(
      `select s.stream_id, s.version, l.version as last from incident_store.streams s
         left join lateral (select version, hash from incident_store.events e where e.stream_id = s.stream_id order by version desc limit 1) l on true
        where l.version is distinct from s.version or l.hash is distinct from s.last_hash limit ${SHOWN_MAX}`,
    );
    for (const { stream_id, version, last } of rows)
      this.found('head-differs', stream_id, `its head is version ${version}, its last event ${last ?? 'none'}`);
  }

  private async order(): Promise<void> {
    const order = new OrderAudit();
    for await (const row of pages<PlaceRow>(this.client, placesSql)) {
      this.report.places += 1;
      this.say(order.next(placeOf(row)));
      if (this.chains.has(row.position)) this.chains.set(row.position, row.chain);
    }
    this.end = order.head.position;
    const { rows } = await this.client.query<{ position: string; chain: string }>(
      'select position, chain from incident_store.commit_head',
    );
    const [head] = rows;
    if (head && (BigInt(head.position) !== order.head.position || head.chain !== order.head.chain))
      this.found('head-differs', `position ${head.position}`, `the last place is ${order.head.position}`);
  }

  /** Every event has a place, or waits for one. */
  private async unordered(): Promise<void> {
    const { rows } = await this.client.query<{ stream_id: string; version: string }>(
      `select stream_id, version from incident_store.events e
        where not exists (select from incident_store.commit_order c where c.stream_id = e.stream_id and c.version = e.version)
          and not exists (select from incident_store.unsequenced u where u.stream_id = e.stream_id and u.version = e.version) limit ${SHOWN_MAX}`,
    );
    for (const { stream_id, version } of rows)
      this.found('event-unordered', `${stream_id} version ${version}`, 'it has no place in the order');
  }

  private checkpoint({ position, chain, at, key_id, signature }: CheckpointRow): void {
    this.report.checkpoints += 1;
    const place = `checkpoint at position ${position}`;
    const pem = this.keys?.(key_id);
    if (pem === undefined) this.report.unverified += 1;
    else if (!verify(null, textAt({ position, chain, at }), pem, Buffer.from(signature, 'base64')))
      this.found('checkpoint-not-authentic', place, `its signature does not fit key ${key_id}`);
    if (BigInt(position) > this.end)
      this.found('checkpoint-differs', place, `the order ends at position ${this.end}: its tail was cut`);
    else if (this.chains.get(position) !== chain)
      this.found('checkpoint-differs', place, 'the order was rewritten after it had been signed');
  }
}

interface CheckpointRow {
  position: string;
  chain: string;
  at: Date;
  key_id: string;
  signature: string;
}
const textAt = ({ position, chain, at }: Pick<CheckpointRow, 'position' | 'chain' | 'at'>): Buffer =>
  Buffer.from(checkpointText({ position: BigInt(position), chain, at: at.toISOString() }));

interface EventRow {
  stream_id: string;
  version: string;
  type: AuditedEvent['type'];
  event_id: string;
  workspace_id: string;
  schema_version: number;
  at: Date;
  actor: AuditedEvent['meta']['actor'];
  cause_id: string;
  cause_ordinal: number;
  reason: string | null;
  config_revision: string;
  digest: string;
  prev_hash: string;
  hash: string;
  salt: Buffer | null;
  body: Buffer | null;
  erased_by: string | null;
}

const eventsSql = `select e.stream_id, e.version, e.type, e.event_id, e.workspace_id, e.schema_version, e.at, e.actor, e.cause_id, e.cause_ordinal,
    e.reason, e.config_revision, e.digest, e.prev_hash, e.hash, p.salt, p.body, p.erased_by
  from incident_store.events e left join incident_store.event_payloads p using (stream_id, version) order by e.stream_id, e.version`;

const eventOf = (row: EventRow): AuditedEvent => ({
  ...{ stream: row.stream_id, version: Number(row.version), type: row.type, digest: row.digest },
  meta: {
    ...{ id: row.event_id, workspace_id: row.workspace_id, schema_version: row.schema_version },
    ...{ at: row.at.toISOString(), actor: row.actor, cause_id: row.cause_id, cause_ordinal: row.cause_ordinal },
    ...{ reason: row.reason, config_revision: Number(row.config_revision) },
  },
  ...{ prevHash: row.prev_hash, hash: row.hash },
  payload:
    row.salt && row.body
      ? { salt: row.salt, body: row.body, erasedBy: row.erased_by === null ? null : Number(row.erased_by) }
      : null,
});

interface PlaceRow {
  position: string;
  stream_id: string;
  version: string;
  hash: string;
  chain: string;
  event_hash: string | null;
}

const placesSql = `select c.position, c.stream_id, c.version, c.hash, c.chain, e.hash as event_hash
  from incident_store.commit_order c left join incident_store.events e using (stream_id, version) order by c.position`;

const placeOf = ({
  position,
  stream_id: stream,
  version,
  hash,
  chain,
  event_hash: eventHash,
}: PlaceRow): AuditedPlace => ({
  ...{ position: BigInt(position), stream, version: Number(version), hash, chain, eventHash },
});

/** Rows of a query through a cursor: a log does not fit in memory. */
async function* pages<Row extends object>(client: Client, sql: string): AsyncGenerator<Row> {
  await client.query(`declare rows no scroll cursor for ${sql}`);
  for (;;) {
    const { rows } = await client.query<Row>(`fetch ${PAGE} from rows`);
    yield* rows;
    if (rows.length < PAGE) break;
  }
  await client.query('close rows');
}
