import {
  alertView,
  type Connector,
  decodePayload,
  type NormalizeContext,
  type Payload,
  readingOf,
  type ReadingSettings,
} from '@tocsin/connectors';
import type { MappingDocument } from '@tocsin/contracts';
import { compileMapping, offeredPaths } from '@tocsin/domain/mapping-rules';

/** The receipt that a payload is tried as: no installation knows these ids. */
const NOWHERE = {
  receiptId: 'rcv_aaaaaaaaaaaaaaaaaaaaaaaaaa',
  workspaceId: 'ws_aaaaaaaaaaaaaaaaaaaaaaaaaa',
  webhookId: 'whk_aaaaaaaaaaaaaaaaaaaaaaaaaa',
  configRevision: 0,
  notes: [],
} as const;

/** A third of what a receipt may cost: people wait for the answer, and others for this process. */
const EFFORT = 1_000_000;
/** More than a person looks through. */
const MAX_SHOWN = 100;

export const newWebhookSettings: ReadingSettings = {
  defaultSeverity: 'medium',
  severityProfile: 'tocsin',
  incidentType: null,
};

export interface Trial {
  connector: Connector;
  payload: Payload;
  mapping: MappingDocument | null;
  settings: ReadingSettings;
  receivedAt: string;
  /** Of the webhook that is tried; its id is part of recipe keys. */
  webhookId?: string;
}

/** What became of a payload that was only tried. */
export interface Preview {
  alerts: ReturnType<typeof alertView>[];
  /** Elements of the payload, before any filter; at most a hundred alerts are shown. */
  total: number;
  omitted: { index: number; outcome: string; reason: string; detail: string }[];
  ignored: { reason: string; detail: string } | null;
  dead_letter: { reason: string; detail: string } | null;
}

/** Reads a payload as the normalizer would. Pure but for the work; bounded, whatever payload and mapping are. */
export function previewOf(trial: Trial): Preview {
  const { connector, payload, mapping, settings, receivedAt, webhookId = NOWHERE.webhookId } = trial;
  const context: NormalizeContext = {
    ...NOWHERE,
    webhookId,
    receivedAt,
    ...readingOf(settings),
    mappingEffort: EFFORT,
    ...(mapping ? { mapping: compileMapping(mapping) } : {}),
  };
  const result = connector.normalize(payload, context);
  const nothing = { alerts: [], total: 0, omitted: [], ignored: null, dead_letter: null };
  switch (result.kind) {
    case 'ignored':
      return { ...nothing, ignored: { reason: result.reason, detail: result.detail } };
    case 'unreadable':
      return { ...nothing, dead_letter: { reason: result.reason, detail: result.detail.toWellFormed() } };
    case 'alerts':
      return {
        ...nothing,
        alerts: result.alerts.slice(0, MAX_SHOWN).map(alertView),
        total: result.total,
        omitted: result.omitted.slice(0, MAX_SHOWN),
      };
    default:
      return result satisfies never;
  }
}

/** What a data picker can offer: the paths of the payload as it is decoded. */
export function pathsIn({ source }: Connector, payload: Payload) {
  const decoded = decodePayload(source, payload);
  return decoded.kind === 'decoded' ? offeredPaths(decoded.root) : [];
}

/** The extracted fields of each alert, which are among its custom fields as well. */
export const extractedOf = ({ alerts }: Preview, mapping: MappingDocument | null) =>
  mapping === null || mapping.extracted_fields.length === 0
    ? []
    : alerts.map(({ index, custom_fields: values }) => ({
        index,
        fields: Object.fromEntries(
          mapping.extracted_fields.flatMap(({ name }) => (Object.hasOwn(values, name) ? [[name, values[name]]] : [])),
        ),
      }));
