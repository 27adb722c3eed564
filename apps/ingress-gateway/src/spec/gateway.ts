import { randomBytes } from 'node:crypto';
import {
  decodeFacts,
  encodeRecord,
  mintId,
  topics,
  type ReceiptFacts,
  type ReceiptReplied,
  type WebhookBody,
  type WebhookDocument,
  type WorkspaceDocument,
} from '@tocsin/contracts';
import type { AppendRecord, EventLog, LogRecord } from '@tocsin/event-log';
import { openJournal } from '@tocsin/event-log/journal';
import {
  Assignments,
  ConfigurationView,
  createKeyRing,
  Health,
  startApplication,
  type ConfigurationFeed,
  type Platform,
  type RunningApplication,
} from '@tocsin/nest-shell';
import type { Type } from '@nestjs/common';
import pg from 'pg';
import { pino } from 'pino';
import { IngressGatewayModule } from '../index.ts';

/** Credential of the webhooks of a test. */
export const SECRET = 'correct-horse-battery-staple';

/** A feed whose news arrive when a test says so. */
export class FeedInHand implements ConfigurationFeed {
  private readonly view = new ConfigurationView();
  private readonly news: WebhookDocument[] = [];
  isLoaded = true;
  revision = () => this.view.revision;
  loaded = () => this.isLoaded;
  webhook = (id: string) => this.view.webhook(id);
  webhookByTokenHmac = (hmac: string) => this.view.webhookByTokenHmac(hmac);
  webhookAt = (id: string) => Promise.resolve(this.view.webhook(id));
  subscriptions = (id: string) => this.view.subscriptions(id);
  allSubscriptions = () => this.view.allSubscriptions();
  apiKey = (id: string) => this.view.apiKey(id);
  workspace = (id: string) => this.view.workspace(id);
  mutes = (workspaceId: string) => this.view.mutes(workspaceId);
  topology = (workspaceId: string) => this.view.topology(workspaceId);
  syncLinks = (workspaceId: string) => this.view.syncLinks(workspaceId);
  atLeast = (revision: number) => Promise.resolve(this.view.revision >= revision);
  onChange = () => () => undefined;
  apply = (document: WebhookDocument | WorkspaceDocument) => this.view.apply([document]);
  /** Known to the database, not yet to this process. */
  announce = (document: WebhookDocument) => void this.news.push(document);
  refresh = () => Promise.resolve(this.view.apply(this.news.splice(0)));
}

/** The memory journal with a switch: `away` holds appends back until it is `back`, as a broker that does not answer. */
export class InterruptibleLog implements EventLog {
  readonly kind = 'journal';
  appended = 0;
  /** Awaited after the journal has stored a record and before its writer is told. */
  confirmation: (records: readonly AppendRecord[]) => Promise<void> = () => Promise.resolve();
  private gate: PromiseWithResolvers<void> | undefined;
  constructor(readonly journal: EventLog) {}

  away = () => void (this.gate = Promise.withResolvers());
  back = () => {
    this.gate?.resolve();
    this.gate = undefined;
  };

  append = async (records: readonly AppendRecord[]): Promise<void> => {
    await this.gate?.promise;
    await this.journal.append(records);
    this.appended += records.length;
    await this.confirmation(records);
  };
  consume: EventLog['consume'] = (options, handler) => this.journal.consume(options, handler);
  offsets: EventLog['offsets'] = (topic) => this.journal.offsets(topic);
  ensureTopics: EventLog['ensureTopics'] = (table) => this.journal.ensureTopics(table);
  lag: EventLog['lag'] = (group, of) => this.journal.lag(group, of);
  close = () => this.journal.close();
}

export interface Gateway {
  url: string;
  port: number;
  feed: FeedInHand;
  log: InterruptibleLog;
  logged: string[];
  received: LogRecord[];
  /** What the pipeline behind the gateway replies to a receipt, part by part; nothing where it is undefined. */
  pipeline: ((facts: ReceiptFacts) => ReceiptReplied[]) | undefined;
  addWebhook(over?: Partial<WebhookBody> & { secret?: string | null; announced?: boolean }): {
    id: string;
    token: string;
  };
  application: RunningApplication;
}

export async function startGateway(
  environment: Record<string, string> = {},
  module: Type = IngressGatewayModule,
): Promise<Gateway> {
  const logged: string[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => void logged.push(line) });
  const eventLog = new InterruptibleLog(await openJournal());
  await eventLog.ensureTopics(topics);
  const keyRing = createKeyRing(`k1:${randomBytes(32).toString('base64')}`, 'a pepper of this test', randomBytes);
  const feed = new FeedInHand();
  const workspaceId = mintId('ws', randomBytes(16));
  const workspace: WorkspaceDocument = {
    revision: 1,
    kind: 'workspace',
    id: workspaceId,
    workspaceId,
    deleted: false,
    body: { name: 'Test', slug: 'test', wrappedDataKey: keyRing.newDataKey(workspaceId) },
  };
  feed.apply(workspace);
  // The gateway never queries: these pools exist because every process has them, and connect to nothing.
  const pool = new pg.Pool({ host: '127.0.0.1', port: 9 });
  const platform: Platform = {
    config: { publicUrl: '', databaseUrl: '', dataDirectory: '', development: false },
    environment,
    eventLog,
    pools: { pipeline: pool, rest: pool, close: () => pool.end() },
    feed: feed as unknown as Platform['feed'],
    keyRing,
    health: new Health({ pool, feed, eventLog }),
    assignments: new Assignments(),
    clock: () => new Date(),
    random: (bytes) => randomBytes(bytes),
    log,
    close: async () => {
      eventLog.back();
      await eventLog.close();
      await pool.end();
    },
  };
  const application = await startApplication(platform, [module], ['ingress-gateway'], {
    host: '127.0.0.1',
    port: 0,
  });
  const received: LogRecord[] = [];
  let revision = 1;
  const gateway: Gateway = {
    url: application.url,
    port: application.port,
    feed,
    log: eventLog,
    logged,
    received,
    pipeline: undefined,
    application,
    addWebhook: ({ secret = SECRET, announced = false, ...over } = {}) => {
      const id = mintId('whk', randomBytes(16));
      const token = randomBytes(20).toString('hex');
      const document: WebhookDocument = {
        revision: (revision += 1),
        kind: 'webhook',
        id,
        workspaceId,
        deleted: false,
        body: {
          name: 'w',
          description: '',
          connector: 'generic',
          enabled: true,
          tokenHmac: keyRing.pepperedHmac(token),
          sealedToken: keyRing.seal(workspace, id, token),
          auth: { method: 'bearer', header: null, prefix: null, username: null },
          secrets:
            secret === null ? [] : [{ id: 'sec_1', sealed: keyRing.seal(workspace, id, secret), notAfter: null }],
          respond: 'accept',
          rateLimitPerHour: 0,
          defaultSeverity: 'medium',
          severityProfile: 'tocsin',
          dedup: { windowHours: 24, windowFrom: 'last', reopenMinutes: 30, resolvePolicy: 'all' },
          correlation: { enabled: true, windowMinutes: 5, by: 'service' },
          rca: { autoTrigger: true, minSeverity: 'medium' },
          ...over,
        },
      };
      (announced ? feed.announce : feed.apply)(document);
      return { id, token };
    },
  };
  await eventLog.consume({ topic: 'webhook.received', group: 'normalizer', mode: 'group' }, async (batch) => {
    for (const record of batch.records) {
      received.push(record);
      const replies = gateway.pipeline?.(decodeFacts('webhook.received.v1', record.headers.facts ?? '')) ?? [];
      for (const reply of replies) {
        await eventLog.journal.append([
          {
            topic: 'webhook.replies',
            key: reply.receiptId,
            value: encodeRecord('receipt.replied.v1', reply),
            headers: { type: 'receipt.replied.v1' },
          },
        ]);
      }
    }
    return { kind: 'committed', next: (batch.records.at(-1)?.offset ?? 0n) + 1n };
  });
  return gateway;
}
