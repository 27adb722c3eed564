import { connectorOf, type NormalizeContext, type Normalization } from '@tocsin/connectors';
import type { ReceiptFacts } from '@tocsin/contracts';
import type { BatchResult, EventLog } from '@tocsin/event-log';
import type { Batch, Input } from '@tocsin/postgres';
import { Appending } from './appending.ts';
import { onlyParts } from './only-parts.ts';
import { deadLetter, outputsOf, type ReceiptOutputs } from './outputs.ts';
import { type Receipt, readReceipt } from './read-receipt.ts';
import { loadSettings, settingsKeyOf, type WebhookSettings, type Webhooks } from './webhook-settings.ts';

export interface NormalizePorts {
  log: Pick<EventLog, 'append'>;
  webhooks: Webhooks;
  /** Hears of a failure that leads to a retry. */
  onFailure: (error: unknown, what: 'normalizer.append-failed' | 'normalizer.configuration-failed') => void;
}

export type NormalizeBatch = (batch: Batch) => Promise<BatchResult>;

const RETRY_MS = 500;
/** A sign of life after so many bytes of input: about a tenth of a second of work. */
const HEARTBEAT_BYTES = 1024 * 1024;

/**
 * Turns receipts into alerts. Keeps nothing: every output is appended before the position moves, and the same records give the same
 * bytes, so that a crash in between costs repeats that readers recognise by their marks, never a loss.
 */
export const normalizeBatch =
  ({ log, webhooks, onFailure }: NormalizePorts): NormalizeBatch =>
  async (batch) => {
    const last = batch.inputs.at(-1);
    if (!last) return { kind: 'halt', reason: 'handler-contract', detail: 'an empty batch' };
    if (!webhooks.loaded()) return { kind: 'retry', afterMs: RETRY_MS, reason: 'configuration-behind' };
    const receipts = batch.inputs.map(readReceipt);
    let settings: ReadonlyMap<string, WebhookSettings>;
    try {
      settings = await loadSettings(webhooks, factsOf(receipts), () => batch.heartbeat());
    } catch (error) {
      onFailure(error, 'normalizer.configuration-failed');
      return { kind: 'retry', afterMs: RETRY_MS, reason: 'configuration-behind' };
    }
    const appending = await collect(batch, receipts, settings);
    try {
      const records = appending.finish();
      if (records.length > 0) await log.append(records);
    } catch (error) {
      onFailure(error, 'normalizer.append-failed');
      return { kind: 'retry', afterMs: RETRY_MS, reason: 'log-unavailable' };
    }
    return { kind: 'committed', next: last.offset + 1n };
  };

const factsOf = (receipts: readonly Receipt[]): ReceiptFacts[] =>
  receipts.flatMap((receipt) => (receipt.kind === 'receipt' ? [receipt.facts] : []));

async function collect(
  batch: Batch,
  receipts: readonly Receipt[],
  settings: ReadonlyMap<string, WebhookSettings>,
): Promise<Appending> {
  const appending = new Appending(batch);
  let bytes = 0;
  for (const receipt of receipts) {
    const { drafts, settled } = outputsOfReceipt(batch, receipt, settings);
    appending.add(receipt.input, drafts, settled);
    bytes += receipt.input.value.length;
    if (bytes < HEARTBEAT_BYTES) continue;
    bytes = 0;
    await batch.heartbeat();
  }
  return appending;
}

function outputsOfReceipt(
  batch: Batch,
  receipt: Receipt,
  settings: ReadonlyMap<string, WebhookSettings>,
): ReceiptOutputs {
  const { input } = receipt;
  if (receipt.kind === 'broken') return { drafts: [deadLetter(batch.source, input, receipt)], settled: [] };
  const { facts } = receipt;
  const result = normalizeReceipt(
    input,
    facts,
    settings.get(settingsKeyOf(facts)) ?? { document: undefined, notes: [] },
  );
  try {
    return outputsOf(batch.source, input, facts, result);
  } catch (error) {
    // The result of a connector does not fit our own schema: as much a failure of the connector as a throw.
    const detail = error instanceof Error ? error.message : String(error);
    return outputsOf(batch.source, input, facts, { kind: 'unreadable', reason: 'connector-failed', detail });
  }
}

function normalizeReceipt(input: Input, facts: ReceiptFacts, { document, notes }: WebhookSettings): Normalization {
  const connector = connectorOf(facts.connector);
  if (!connector)
    return { kind: 'unreadable', reason: 'connector-failed', detail: `there is no connector "${facts.connector}"` };
  const context: NormalizeContext = {
    receiptId: facts.receiptId,
    workspaceId: facts.workspaceId,
    webhookId: facts.webhookId,
    receivedAt: facts.receivedAt,
    configRevision: document?.revision ?? facts.configRevision,
    defaultSeverity: document?.body.defaultSeverity ?? 'medium',
    severityProfile: document?.body.severityProfile ?? 'tocsin',
    alertOnFailure: document?.body.changes?.alertOnFailure ?? true,
    notes,
  };
  const { contentType, headers, query } = facts;
  return onlyParts(connector.normalize({ bytes: input.value, contentType, headers, query }, context), facts);
}
