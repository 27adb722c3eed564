import { connectorOf } from '@tocsin/connectors';
import { encodeFacts, mintId, type ReceiptFacts } from '@tocsin/contracts';
import { credentialRuleOf, keptHeaders, keptQuery, type LiveSecret } from '@tocsin/domain/authentication';
import { compileMapping } from '@tocsin/domain/mapping-rules';
import { headerNames } from '@tocsin/event-log';
import { type Clock, type KeyRing, Problem, type Random, type ShellConfig } from '@tocsin/nest-shell';
import type { Pipeline } from '@tocsin/postgres';
import type { ConfigurationStore } from '../configuration-store.ts';
import { samplePayloadsOf } from '../connector-documents.ts';
import { workspaceDocumentOf } from '../documents.ts';
import { WebhookRow } from '../entities.ts';
import { triggerUrl } from '../views.ts';
import { extractedOf, pathsIn, previewOf } from './preview.ts';
import { judged, type TrialRequest } from './trial-credential.ts';

export interface TestParts {
  store: ConfigurationStore;
  pipeline: Pick<Pipeline, 'commitCommand'>;
  keyRing: Pick<KeyRing, 'open'>;
  clock: Clock;
  random: Random;
  /** Knows its address once the server listens. */
  shell: Pick<ShellConfig, 'publicUrl'>;
}

/** One payload for one webhook, to be tried or sent. */
export interface WebhookTest extends TrialRequest {
  workspaceId: string;
  webhookId: string;
  contentType: string | null;
}

/** Tries a payload on a webhook as it is now, or sends it the whole way in the name of a sender. */
export class WebhookTests {
  constructor(private readonly parts: TestParts) {}

  async run(test: WebhookTest) {
    const { row, url, secrets } = await this.read(test);
    const connector = connectorIn(row);
    const payload = payloadOrSample(test, row);
    const now = this.parts.clock();
    const settings = { ...row, changes: row.changes };
    const trial = { connector, payload, mapping: row.mapping, settings, receivedAt: now.toISOString() };
    const preview = previewOf({ ...trial, webhookId: row.id });
    const errors = [
      ...(preview.dead_letter ? [{ code: preview.dead_letter.reason, message: preview.dead_letter.detail }] : []),
      ...preview.omitted.flatMap(({ outcome, reason, detail }) =>
        outcome === 'dead-lettered' ? [{ code: reason, message: detail }] : [],
      ),
      ...(row.mapping ? compileMapping(row.mapping).broken : []).map((path) => ({
        code: 'path-syntax',
        message: `the path ${path} cannot be read any more`,
      })),
    ];
    const { alerts, total, omitted, ignored } = preview;
    const known = { connector: connector.source.auth, auth: row.auth, secrets, now: now.getTime(), url };
    return {
      ok: errors.length === 0,
      ...{ alerts, total, omitted, ignored, errors, extracted: extractedOf(preview, row.mapping) },
      paths: pathsIn(connector, payload),
      auth: judged(known, test),
    };
  }

  /** The payload goes the way of every other one, under a receipt of its own. @throws Problem conflict when disabled */
  async send(test: WebhookTest) {
    const { row, secrets } = await this.read(test);
    if (!row.enabled) throw new Problem('conflict', 'The webhook is disabled; it takes no requests, tests neither.');
    const { bytes, contentType, headers, query } = payloadOrSample(test, row);
    const rule = credentialRuleOf(connectorIn(row).source.auth, row.auth, secrets);
    const facts: ReceiptFacts = {
      receiptId: mintId('rcv', this.parts.random(16)),
      workspaceId: row.workspaceId,
      webhookId: row.id,
      connector: row.connector,
      configRevision: row.revision,
      receivedAt: this.parts.clock().toISOString(),
      method: 'POST',
      query: keptQuery(`?${query}`, rule.parameters),
      contentType,
      headers: keptHeaders(Object.entries(headers).flat(), rule.headers),
      waiting: false,
    };
    await this.parts.pipeline.commitCommand(() =>
      Promise.resolve({
        result: undefined,
        outputs: [
          {
            ...{ topic: 'webhook.received' as const, key: row.id, type: 'webhook.received.v1', value: bytes },
            headers: { [headerNames.facts]: encodeFacts('webhook.received.v1', facts) },
            by: { stream: facts.receiptId, version: 1n },
          },
        ],
      }),
    );
    return { receipt_id: facts.receiptId, status: 'accepted', status_url: `/api/v1/receipts/${facts.receiptId}` };
  }

  private read({ workspaceId, webhookId }: WebhookTest) {
    const { store, keyRing, shell } = this.parts;
    return store.inWorkspace(workspaceId, async (tx) => {
      const row = await tx.find(WebhookRow, webhookId);
      const workspace = workspaceDocumentOf(await tx.workspace());
      const secrets = row.secrets.map(({ sealed, notAfter }): LiveSecret => ({
        bytes: Buffer.from(keyRing.open(workspace, row.id, sealed), 'utf8'),
        notAfter: notAfter === null ? null : Date.parse(notAfter),
      }));
      return { row, secrets, url: triggerUrl(shell.publicUrl, keyRing.open(workspace, row.id, row.sealedToken)) };
    });
  }
}

function connectorIn({ connector: id }: WebhookRow) {
  const connector = connectorOf(id);
  if (!connector) throw new Problem('conflict', `This version has no connector "${id}".`);
  return connector;
}

/** An empty test takes the first sample of the connector; a query alone is a payload of senders that have nothing else. */
function payloadOrSample({ body, contentType, rawHeaders, query }: WebhookTest, { connector }: WebhookRow) {
  const sample = body.length === 0 && query === '' ? samplePayloadsOf(connector)[0] : undefined;
  if (sample) {
    const { body: text, headers, ...rest } = sample;
    return { bytes: Buffer.from(text), contentType: rest.contentType, headers, query: rest.query };
  }
  const headers: Record<string, string> = {};
  for (let at = 0; at < rawHeaders.length; at += 2)
    headers[(rawHeaders[at] as string).toLowerCase()] = rawHeaders[at + 1] as string;
  return { bytes: body, contentType, headers, query };
}
