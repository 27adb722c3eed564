import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConfigurationDocument, WebhookDocument } from '@tocsin/contracts';
import pg from 'pg';
import type { KeyRing } from '../secrets/key-ring.ts';
import type { Logger } from '../tokens.ts';
import { ConfigurationView, type ConfigurationFeed } from './feed.ts';

const POLL_MS = 1_000;
/** An unknown token or key asks for news at once, but a flood of them must not become a flood of queries. */
const REFRESH_GAP_MS = 200;
const HISTORY_MAX = 1_000;
const SNAPSHOT_PURPOSE = 'configuration-snapshot';

const COLUMNS = 'feed_id, revision, kind, id, workspace_id, deleted, body';
/** Sorting every revision ever made would grow without bound; the newest per document is what counts at boot. */
const LOAD = `select distinct on (kind, id) ${COLUMNS} from control_plane.configuration_feed order by kind, id, revision desc`;
const NEWS = `select ${COLUMNS} from control_plane.configuration_feed where revision > $1 order by revision`;
const HEAD = 'select feed_id from control_plane.configuration_feed limit 1';
const HISTORY = `select ${COLUMNS} from control_plane.configuration_feed where kind = 'webhook' and id = $1 and revision = $2`;

interface Row {
  feed_id: string;
  revision: string;
  kind: ConfigurationDocument['kind'];
  id: string;
  workspace_id: string;
  deleted: boolean;
  body: unknown;
}

const documentOf = (row: Row): ConfigurationDocument =>
  ({
    revision: Number(row.revision),
    kind: row.kind,
    id: row.id,
    workspaceId: row.workspace_id,
    deleted: row.deleted,
    body: row.body,
  }) as ConfigurationDocument;

export interface FeedOptions {
  connectionString: string;
  keyRing: KeyRing;
  log: Logger;
  /** Where the sealed last-good configuration is kept; absent = nowhere. */
  snapshotFile?: string;
}

/** Follows `control_plane.configuration_feed`: LISTEN as a hint, a poll every second as the rule. */
export class PostgresConfigurationFeed implements ConfigurationFeed {
  private view = new ConfigurationView();
  private isLoaded = false;
  private closed = false;
  private timer: NodeJS.Timeout | undefined;
  private reading: Promise<void> | undefined;
  /** Those who ask within the gap share the first read after it. */
  private nextRefresh: Promise<void> | undefined;
  private lastRead = 0;
  private away = false;
  private readonly pool: pg.Pool;
  private listener: pg.Client | undefined;
  private readonly listeners = new Set<(documents: readonly ConfigurationDocument[]) => void>();
  private readonly history = new Map<string, WebhookDocument>();
  private snapshotting: Promise<void> = Promise.resolve();

  constructor(private readonly options: FeedOptions) {
    this.pool = new pg.Pool({
      connectionString: options.connectionString,
      max: 2,
      connectionTimeoutMillis: 5_000,
      options: '-c role=tocsin_pipeline -c statement_timeout=10000',
      application_name: 'tocsin-configuration',
    });
    this.pool.on('error', () => undefined); // the next query reports it
  }

  /** Resolves after the first attempt: loaded from the database, or from the snapshot while that is away. */
  async start(): Promise<void> {
    await this.read();
    if (!this.isLoaded) await this.loadSnapshot();
    this.plan();
  }

  revision = () => this.view.revision;
  loaded = () => this.isLoaded;
  webhook = (id: string) => this.view.webhook(id);
  webhookByTokenHmac = (hmac: string) => this.view.webhookByTokenHmac(hmac);
  subscriptions = (workspaceId: string) => this.view.subscriptions(workspaceId);
  allSubscriptions = () => this.view.allSubscriptions();
  apiKey = (id: string) => this.view.apiKey(id);
  workspace = (id: string) => this.view.workspace(id);
  mutes = (workspaceId: string) => this.view.mutes(workspaceId);
  topology = (workspaceId: string) => this.view.topology(workspaceId);
  syncLinks = (workspaceId?: string) => this.view.syncLinks(workspaceId);

  async webhookAt(id: string, revision: number): Promise<WebhookDocument | undefined> {
    const current = this.view.webhook(id);
    if (current?.revision === revision) return current;
    const key = `${id}@${revision}`;
    const known = this.history.get(key);
    if (known) return known;
    const { rows } = await this.pool.query<Row>(HISTORY, [id, revision]);
    const document = rows[0] && (documentOf(rows[0]) as WebhookDocument);
    if (!document) return undefined;
    if (this.history.size >= HISTORY_MAX) this.history.clear();
    this.history.set(key, document);
    return document;
  }

  async atLeast(revision: number, withinMs: number): Promise<boolean> {
    if (this.view.revision >= revision) return true;
    await this.refresh();
    if (this.view.revision >= revision) return true;
    return new Promise((resolve) => {
      const done = (result: boolean) => {
        clearTimeout(timeout);
        stop();
        resolve(result);
      };
      const timeout = setTimeout(() => done(false), withinMs);
      const stop = this.onChange(() => this.view.revision >= revision && done(true));
    });
  }

  refresh(): Promise<void> {
    if (this.closed) return Promise.resolve();
    // What is being read now may have begun before the change that the caller looks for.
    const pause = this.reading ? REFRESH_GAP_MS : REFRESH_GAP_MS - (performance.now() - this.lastRead);
    if (pause <= 0) return this.read();
    this.nextRefresh ??= sleep(pause).then(() => {
      this.nextRefresh = undefined;
      return this.closed ? undefined : this.read();
    });
    return this.nextRefresh;
  }

  onChange(listener: (documents: readonly ConfigurationDocument[]) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    await this.reading;
    await this.listener?.end().catch(() => undefined);
    await this.snapshotting;
    await this.pool.end();
  }

  private plan(): void {
    if (this.closed) return;
    this.timer = setTimeout(() => void this.read().then(() => this.plan()), POLL_MS);
  }

  private read(): Promise<void> {
    this.reading ??= this.readNews()
      .then(() => {
        if (this.away) this.options.log.info({ revision: this.view.revision }, 'configuration.back');
        this.away = false;
      })
      .catch((error: unknown) => {
        if (!this.away) this.options.log.warn({ err: error, loaded: this.isLoaded }, 'configuration.unreachable');
        this.away = true;
      })
      .finally(() => {
        this.lastRead = performance.now();
        this.reading = undefined;
      });
    return this.reading;
  }

  private async readNews(): Promise<void> {
    await this.listen();
    const fresh = !this.isLoaded || this.view.feedId === undefined;
    const { rows } = fresh ? await this.pool.query<Row>(LOAD) : await this.pool.query<Row>(NEWS, [this.view.revision]);
    if (!fresh && (await this.isAnotherFeed())) {
      this.options.log.warn({ feedId: this.view.feedId }, 'configuration.replaced');
      this.history.clear();
      this.replace((await this.pool.query<Row>(LOAD)).rows);
      return;
    }
    if (fresh) this.replace(rows);
    else if (rows.length > 0) this.changed(rows.map(documentOf));
  }

  /** A restored database counts its revisions anew: what was read before may never have happened there. */
  private async isAnotherFeed(): Promise<boolean> {
    const { rows } = await this.pool.query<{ feed_id: string }>(HEAD);
    return rows[0]?.feed_id !== this.view.feedId;
  }

  private replace(rows: Row[]): void {
    const before = new Set(this.view.all().map(({ kind, id }) => `${kind} ${id}`));
    const view = new ConfigurationView();
    view.feedId = rows[0]?.feed_id;
    const documents = rows.map(documentOf);
    const gone = this.view.all().filter((old) => !documents.some((d) => d.kind === old.kind && d.id === old.id));
    view.apply(documents);
    this.view = view;
    this.isLoaded = true;
    if (before.size + documents.length > 0) this.tell([...gone.map((d) => ({ ...d, deleted: true })), ...documents]);
  }

  private changed(documents: ConfigurationDocument[]): void {
    this.view.apply(documents);
    this.tell(documents);
  }

  private tell(documents: ConfigurationDocument[]): void {
    for (const listener of this.listeners) listener(documents);
    this.snapshotting = this.snapshotting.then(() => this.saveSnapshot());
  }

  private async listen(): Promise<void> {
    if (this.listener || this.closed) return;
    const client = new pg.Client({
      connectionString: this.options.connectionString,
      connectionTimeoutMillis: 5_000,
      application_name: 'tocsin-configuration-listen',
    });
    const forget = () => {
      if (this.listener === client) this.listener = undefined;
    };
    client.on('error', forget).on('end', forget);
    await client.connect();
    client.on('notification', () => void this.read());
    await client.query('listen tocsin_configuration');
    this.listener = client;
  }

  private async saveSnapshot(): Promise<void> {
    const { snapshotFile, keyRing, log } = this.options;
    if (!snapshotFile) return;
    try {
      const content = Buffer.from(JSON.stringify({ feedId: this.view.feedId, documents: this.view.all() }));
      await mkdir(dirname(snapshotFile), { recursive: true, mode: 0o700 });
      await writeFile(`${snapshotFile}.new`, keyRing.sealForDisk(SNAPSHOT_PURPOSE, content), { mode: 0o600 });
      await rename(`${snapshotFile}.new`, snapshotFile);
    } catch (error) {
      log.warn({ err: error }, 'configuration.snapshot-failed');
    }
  }

  private async loadSnapshot(): Promise<void> {
    const { snapshotFile, keyRing, log } = this.options;
    if (!snapshotFile) return;
    try {
      const sealed = await readFile(snapshotFile);
      const { documents } = JSON.parse(keyRing.openFromDisk(SNAPSHOT_PURPOSE, sealed).toString('utf8')) as {
        documents: ConfigurationDocument[];
      };
      // The feed id stays unknown, so that the first answer of the database replaces everything.
      this.view.apply(documents.sort((a, b) => a.revision - b.revision));
      this.isLoaded = true;
      log.warn({ revision: this.view.revision }, 'configuration.from-snapshot');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        log.warn({ err: error }, 'configuration.snapshot-unreadable');
    }
  }
}
