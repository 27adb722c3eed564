import type { AlertStatus, DecisionReason, NormalizedAlert, PoisonReason, Severity } from '@tocsin/contracts';
import { type AlertContext, type AlertDraft, buildAlert } from '@tocsin/domain/alert';
import { type NoteCode, Notes, type SeverityProfile } from '@tocsin/domain/mapping';
import { decodePayload } from './decode.ts';
import { type Chain, compileChain, instantFrom, listFrom, severityFrom, statusFrom, textFrom } from './fields.ts';
import type { IgnoreReason, Reading, SourceConnector } from './source-connector.ts';

/** The bytes of a receipt, untouched. */
export interface Payload {
  bytes: Uint8Array;
  contentType: string | null;
}

/** What the receipt and its webhook's configuration say. */
export interface NormalizeContext {
  receiptId: string;
  workspaceId: string;
  webhookId: string;
  receivedAt: string;
  configRevision: number;
  defaultSeverity: Severity;
  severityProfile: SeverityProfile;
  /** Notes that every alert of this receipt gets. */
  notes: readonly NoteCode[];
}

/** An element that became no alert beside others that did. */
export type Omitted =
  | { index: number; outcome: 'ignored'; reason: IgnoreReason; detail: string }
  | { index: number; outcome: 'dead-lettered'; reason: PoisonReason & DecisionReason; detail: string };

/** What became of a payload. `total` counts its elements before any filter. */
export type Normalization =
  | { kind: 'alerts'; total: number; alerts: NormalizedAlert[]; omitted: Omitted[] }
  | { kind: 'ignored'; reason: IgnoreReason; detail: string }
  | { kind: 'unreadable'; reason: PoisonReason & DecisionReason; detail: string };

/** A connector that is ready to run: paths compiled and checked. */
export interface Connector {
  readonly source: SourceConnector;
  /** Pure and total: the same bytes and context give the same result, and nothing is thrown whatever the bytes are. */
  normalize(payload: Payload, context: NormalizeContext): Normalization;
}

type Chains = Record<keyof SourceConnector['fields'], Chain> & {
  status: Chain;
  severity: Chain;
  occurredAt: Chain;
  resolvedAt: Chain;
};

/** @throws PathError when a path of the connector cannot be read. */
export function compileConnector(source: SourceConnector): Connector {
  const chains: Chains = {
    title: compileChain(source.fields.title),
    description: compileChain(source.fields.description),
    services: compileChain(source.fields.services),
    tags: compileChain(source.fields.tags),
    source: compileChain(source.fields.source),
    url: compileChain(source.fields.url),
    dedupKey: compileChain(source.fields.dedupKey),
    firingKey: compileChain(source.fields.firingKey),
    incidentType: compileChain(source.fields.incidentType),
    status: compileChain(source.status.from),
    severity: compileChain(source.severity.from),
    occurredAt: compileChain(source.occurredAt.from),
    resolvedAt: compileChain(source.occurredAt.whenResolved ?? source.occurredAt.from),
  };
  return { source, normalize: (payload, context) => normalize(source, chains, payload, context) };
}

function normalize(
  source: SourceConnector,
  chains: Chains,
  payload: Payload,
  context: NormalizeContext,
): Normalization {
  const decoded = decodePayload(source.decode, payload);
  if (decoded.kind === 'undecodable')
    return { kind: 'unreadable', reason: 'undecodable-payload', detail: decoded.detail };
  const noted = decoded.note === undefined ? context : { ...context, notes: [...context.notes, decoded.note] };
  try {
    if (!source.recognises(decoded.root)) {
      return { kind: 'unreadable', reason: 'unrecognised-payload', detail: `not a payload of ${source.title}` };
    }
    const elements = source.split(decoded.root);
    if (elements.length === 0) return { kind: 'ignored', reason: 'empty-batch', detail: 'the payload holds no alerts' };
    return settle(
      elements.map((element, index) => readElement({ source, chains, context: noted }, decoded.root, element, index)),
    );
  } catch (error) {
    return { kind: 'unreadable', reason: 'connector-failed', detail: messageOf(error) };
  }
}

interface Run {
  source: SourceConnector;
  chains: Chains;
  context: NormalizeContext;
}

type Read = { alert: NormalizedAlert } | Omitted;

function readElement(run: Run, root: unknown, element: unknown, index: number): Read {
  const { source, context } = run;
  try {
    if (!source.recognisesElement(element, root)) {
      return {
        index,
        outcome: 'dead-lettered',
        reason: 'unrecognised-payload',
        detail: `element ${index} is not an alert of ${source.title}`,
      };
    }
    const reading: Reading = { element, root, receivedAt: context.receivedAt };
    const rule = source.ignore.find((candidate) => candidate.when(reading));
    if (rule) return { index, outcome: 'ignored', reason: rule.reason, detail: `${source.title}: ${rule.reason}` };
    return { alert: buildAlert(draftOf(run, reading), contextOf(run), index) };
  } catch (error) {
    return { index, outcome: 'dead-lettered', reason: 'connector-failed', detail: messageOf(error) };
  }
}

/** A receipt without a single alert is answered as a whole: broken when any element was, else ignored. */
function settle(reads: readonly Read[]): Normalization {
  const alerts = reads.flatMap((read) => ('alert' in read ? [read.alert] : []));
  const omitted = reads.flatMap((read) => ('alert' in read ? [] : [read]));
  if (alerts.length > 0) return { kind: 'alerts', total: reads.length, alerts, omitted };
  const broken = omitted.find((one) => one.outcome === 'dead-lettered');
  if (broken) return { kind: 'unreadable', reason: broken.reason, detail: broken.detail };
  const ignored = omitted.find((one) => one.outcome === 'ignored');
  return { kind: 'ignored', reason: ignored?.reason ?? 'empty-batch', detail: ignored?.detail ?? '' };
}

function draftOf({ source, chains, context }: Run, reading: Reading): AlertDraft {
  const notes = new Notes();
  for (const code of context.notes) notes.add(code);
  source.remarks?.(reading, notes);
  const status: AlertStatus = statusFrom(chains.status, source.status, reading, notes);
  const known = { profile: context.severityProfile, notes };
  return {
    status,
    severity: severityFrom(chains.severity, source.severity, reading, known),
    title: textFrom(chains.title, reading, notes, 'title'),
    description: textFrom(chains.description, reading, notes, 'description'),
    services: listFrom(chains.services, reading),
    tags: listFrom(chains.tags, reading),
    source: textFrom(chains.source, reading, notes, 'source'),
    url: textFrom(chains.url, reading, notes, 'url'),
    occurredAt: instantFrom(status === 'resolved' ? chains.resolvedAt : chains.occurredAt, reading, notes),
    occurredAtOrders: source.occurredAt.orders,
    dedupKey: textFrom(chains.dedupKey, reading, notes, 'dedupKey'),
    firingKey: textFrom(chains.firingKey, reading, notes, 'firingKey'),
    incidentType: textFrom(chains.incidentType, reading, notes, 'incidentType'),
    fields: source.keep(reading),
    notes,
  };
}

function contextOf({ source, context }: Run): AlertContext {
  return {
    receiptId: context.receiptId,
    workspaceId: context.workspaceId,
    webhookId: context.webhookId,
    connector: source.id,
    connectorTitle: source.title,
    kind: source.kind,
    receivedAt: context.receivedAt,
    configRevision: context.configRevision,
    defaultSeverity: context.defaultSeverity,
  };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).slice(0, 300);
