import { connectorOf, type NormalizeContext, type Normalization, readingOf } from '@tocsin/connectors';
import type { ReceiptFacts } from '@tocsin/contracts';
import type { BatchResult, EventLog } from '@tocsin/event-log';
import type { Batch, Input } from '@tocsin/postgres';
import { Appending } from './appending.ts';
import { compiledMappings, type MappingOf } from './compiled-mappings.ts';
import { onlyParts } from './only-parts.ts';
import { capturedOutputs, deadLetter, outputsOf, type ReceiptOutputs } from './outputs.ts';
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
/** A mapping may take half a second for the smallest payload. */
const MAPPING_BYTES = HEARTBEAT_BYTES / 8;

/**
 * Turns receipts into alerts. Keeps nothing: every output is appended before the position moves, and the same records give the same
 * bytes, so that a crash in between costs repeats that readers recognise by their marks, never a loss.
 */
export const normalizeBatch = ({ log, webhooks, onFailure }: NormalizePorts): NormalizeBatch => {
  const mappingOf = compiledMappings();
  return async (batch) => {
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
    const appending = await collect(batch, receipts, { settings, mappingOf });
    try {
      const records = appending.finish();
      if (records.length > 0) await log.append(records);
    } catch (error) {
      onFailure(error, 'normalizer.append-failed');
      return { kind: 'retry', afterMs: RETRY_MS, reason: 'log-unavailable' };
    }
    return { kind: 'committed', next: last.offset + 1n };
  };
};

/** What is known of the webhooks of a batch. */
interface Known {
  settings: ReadonlyMap<string, WebhookSettings>;
  mappingOf: MappingOf;
}

const factsOf = (receipts: readonly Receipt[]): ReceiptFacts[] =>
  receipts.flatMap((receipt) => (receipt.kind === 'receipt' ? [receipt.facts] : []));

async function collect(batch: Batch, receipts: readonly Receipt[], known: Known): Promise<Appending> {
  const appending = new Appending(batch);
  let bytes = 0;
  for (const receipt of receipts) {
    const { drafts, settled } = outputsOfReceipt(batch, receipt, known);
    appending.add(receipt.input, drafts, settled);
    bytes += receipt.input.value.length + (isMapped(receipt, known) ? MAPPING_BYTES : 0);
    if (bytes < HEARTBEAT_BYTES) continue;
    bytes = 0;
    await batch.heartbeat();
  }
  return appending;
}

const isMapped = (receipt: Receipt, { settings }: Known): boolean =>
  receipt.kind === 'receipt' && settings.get(settingsKeyOf(receipt.facts))?.document?.body.mapping !== undefined;

function outputsOfReceipt(batch: Batch, receipt: Receipt, { settings, mappingOf }: Known): ReceiptOutputs {
  const { input } = receipt;
  if (receipt.kind === 'broken') return { drafts: [deadLetter(batch.source, input, receipt)], settled: [] };
  const { facts } = receipt;
  const found = settings.get(settingsKeyOf(facts)) ?? { document: undefined, notes: [] };
  if (found.document?.body.mode === 'capture') return capturedOutputs(input, facts);
  const result = normalizeReceipt(input, facts, found, mappingOf);
  try {
    return outputsOf(batch.source, input, facts, result);
  } catch (error) {
    // The result of a connector does not fit our own schema: as much a failure of the connector as a throw.
    const detail = error instanceof Error ? error.message : String(error);
    return outputsOf(batch.source, input, facts, { kind: 'unreadable', reason: 'connector-failed', detail });
  }
}

function normalizeReceipt(
  input: Input,
  facts: ReceiptFacts,
  { document, notes }: WebhookSettings,
  mappingOf: MappingOf,
): Normalization {
  const connector = connectorOf(facts.connector);
  if (!connector)
    return { kind: 'unreadable', reason: 'connector-failed', detail: `there is no connector "${facts.connector}"` };
  const context: NormalizeContext = {
    receiptId: facts.receiptId,
    workspaceId: facts.workspaceId,
    webhookId: facts.webhookId,
    receivedAt: facts.receivedAt,
    configRevision: document?.revision ?? facts.configRevision,
    notes,
    ...readingOf(document?.body),
    ...(facts.overLimit === true ? { overLimit: true } : {}),
  };
  const mapping = document && mappingOf(document);
  if (mapping) context.mapping = mapping;
  const { contentType, headers, query } = facts;
  return onlyParts(connector.normalize({ bytes: input.value, contentType, headers, query }, context), facts);
}
