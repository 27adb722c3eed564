import type { NormalizedAlert, WebhookBody } from '@tocsin/contracts';
import { type CompiledMapping, compileMapping } from '@tocsin/domain/mapping-rules';
import type { Connector, NormalizeContext, Payload } from './compile.ts';
import { readingOf, type ReadingSettings } from './reading-of.ts';

/** A payload that was received before. */
export interface PastReceipt {
  receiptId: string;
  workspaceId: string;
  webhookId: string;
  receivedAt: string;
  overLimit?: boolean;
  payload: Payload;
}

/** A webhook that reads payloads again, with its connector, settings and mapping as they are now. */
export interface Reader {
  read(receipt: PastReceipt): NormalizedAlert[];
}

/**
 * Alerts of payloads as a webhook would read them now. A payload of another platform, or one that cannot be read, has none: it
 * says nothing about correlation. `effort` bounds what a mapping may cost for each of them.
 */
export function readerOf(
  connector: Pick<Connector, 'normalize'>,
  settings: ReadingSettings & Partial<Pick<WebhookBody, 'mapping'>>,
  { revision, effort }: { revision: number; effort?: number },
): Reader {
  const mapping: CompiledMapping | undefined = settings.mapping ? compileMapping(settings.mapping) : undefined;
  const reading = readingOf(settings);
  return {
    read({ payload, overLimit, ...ids }) {
      const context: NormalizeContext = {
        ...ids,
        ...reading,
        ...{ configRevision: revision, notes: [] },
        ...(mapping && { mapping }),
        ...(effort === undefined ? {} : { mappingEffort: effort }),
        ...(overLimit === undefined ? {} : { overLimit }),
      };
      const read = connector.normalize(payload, context);
      return read.kind === 'alerts' ? read.alerts : [];
    },
  };
}
