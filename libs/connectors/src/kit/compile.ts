import type {
  AlertStatus,
  ChangeEvent,
  DecisionReason,
  NormalizedAlert,
  PoisonReason,
  Severity,
} from '@tocsin/contracts';
import { type AlertContext, type AlertDraft, buildAlert, type KeyRecipe } from '@tocsin/domain/alert';
import { type NoteCode, Notes, type SeverityProfile } from '@tocsin/domain/mapping';
import { type CompiledMapping, MappingEffort } from '@tocsin/domain/mapping-rules';
import { combined, type Read as ReadOf } from './combine.ts';
import { changeOf, type ChangeChains, compileChange } from './change.ts';
import { decodePayload } from './decode.ts';
import {
  type Chain,
  compileChain,
  instantFrom,
  listFrom,
  severityFrom,
  statusFrom,
  textFrom,
  type UserWords,
} from './fields.ts';
import { compileRedaction, type Redact } from './redact.ts';
import type { IgnoreReason, Reading, RequestFacts, SourceConnector } from './source-connector.ts';
import { mappedDraft, type UserMapping, userMappingOf } from './user-mapping.ts';

/** The bytes of a receipt, untouched. */
export interface Payload {
  bytes: Uint8Array;
  contentType: string | null;
  /** By lower-case name. */
  headers?: Readonly<Record<string, string>>;
  /** The address after `?`. */
  query?: string;
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
  /** Whether a failed build or deployment also raises an alert (product P11); absent = it does. */
  alertOnFailure?: boolean;
  /** The webhook's own mapping, compiled once per revision. */
  mapping?: CompiledMapping;
  /** What a mapping may cost, where that is not the usual (`EFFORT_LIMIT`). */
  mappingEffort?: number;
  /** The webhook's `incident_type`. */
  incidentType?: string | null;
  /** The request came above the webhook's hourly rate (product P7). */
  overLimit?: boolean;
  /** How keys are made where neither mapping nor connector has one (product P8). */
  dedup?: KeyRecipe;
}

/** An element that became no alert beside others that did. */
export type Omitted =
  | { index: number; outcome: 'ignored'; reason: IgnoreReason; detail: string }
  | { index: number; outcome: 'dead-lettered'; reason: PoisonReason & DecisionReason; detail: string };

/** What became of a payload. `total` counts its elements before any filter; `changes` are told beside whatever became of the alerts. */
export type Normalization =
  | { kind: 'alerts'; total: number; alerts: NormalizedAlert[]; omitted: Omitted[]; changes: ChangeEvent[] }
  | { kind: 'ignored'; reason: IgnoreReason; detail: string; changes: ChangeEvent[] }
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
  changedAt: Chain;
  endsAt: Chain;
};

interface Compiled {
  source: SourceConnector;
  chains: Chains;
  change: ChangeChains | undefined;
  redact: Redact | undefined;
}

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
    changedAt: compileChain(source.occurredAt.changed ?? []),
    endsAt: compileChain(source.occurredAt.ends ?? []),
  };
  const change = source.change && compileChange(source.change);
  const redact = source.redact && compileRedaction(source.redact);
  const compiled: Compiled = { source, chains, change, redact };
  return { source, normalize: (payload, context) => normalize(compiled, payload, context) };
}

const NO_HEADERS: Readonly<Record<string, string>> = {};

function normalize(compiled: Compiled, payload: Payload, context: NormalizeContext): Normalization {
  const { source } = compiled;
  const decoded = decodePayload(source, payload);
  if (decoded.kind === 'undecodable')
    return { kind: 'unreadable', reason: 'undecodable-payload', detail: decoded.detail };
  const noted = decoded.note === undefined ? context : { ...context, notes: [...context.notes, decoded.note] };
  const request: RequestFacts = { headers: payload.headers ?? NO_HEADERS };
  const { root } = decoded;
  try {
    if (!source.recognises(root, request)) {
      return { kind: 'unreadable', reason: 'unrecognised-payload', detail: `not a payload of ${source.title}` };
    }
    compiled.redact?.(root);
    const elements = source.split(root, request);
    if (elements.length === 0)
      return { kind: 'ignored', reason: 'empty-batch', detail: 'the payload holds no alerts', changes: [] };
    const about = contextOf(source, noted);
    const { chains, change, redact } = compiled;
    const mapping = mappingOf(source, context);
    const run: Run = { source, chains, change, redact, context: noted, about, request, root, mapping };
    const reads = elements.map((element, index) => readElement(run, element, index));
    const split = context.mapping?.split ?? 'all';
    return settle(split === 'all' ? reads : combined(split, reads));
  } catch (error) {
    return { kind: 'unreadable', reason: 'connector-failed', detail: messageOf(error) };
  }
}

function mappingOf(source: SourceConnector, context: NormalizeContext): UserMapping | undefined {
  const { mapping, mappingEffort, severityProfile: profile } = context;
  return mapping && userMappingOf(source, { mapping, profile, effort: new MappingEffort(mappingEffort) });
}

interface Run extends Compiled {
  mapping: UserMapping | undefined;
  context: NormalizeContext;
  /** What all alerts of the payload have in common. */
  about: AlertContext;
  request: RequestFacts;
  root: unknown;
}

type Read = ReadOf<ChangeEvent>;

function readElement(run: Run, element: unknown, index: number): Read {
  const { source, context, root, request } = run;
  try {
    if (!source.recognisesElement(element, root, request)) {
      const detail = `element ${index} is not an alert of ${source.title}`;
      return { omitted: { index, outcome: 'dead-lettered', reason: 'unrecognised-payload', detail } };
    }
    const { receivedAt, receiptId } = context;
    const reading: Reading = { element, root, receivedAt, receiptId, headers: request.headers };
    const rule = source.ignore.find((candidate) => candidate.when(reading));
    if (rule) return { omitted: ignored(index, rule.reason, `${source.title}: ${rule.reason}`) };
    return readAlert(run, reading, index);
  } catch (error) {
    return { omitted: { index, outcome: 'dead-lettered', reason: 'connector-failed', detail: messageOf(error) } };
  }
}

function readAlert(run: Run, reading: Reading, index: number): Read {
  const { element, root } = reading;
  const draft = run.mapping
    ? mappedDraft(run.mapping, run.source, { element, root, index }, (words) => draftOf(run, reading, words))
    : draftOf(run, reading);
  const alert = buildAlert(draft, run.about, index);
  const change = run.change && changeOf(run.change, reading, alert);
  if (change === undefined) return { alert };
  if (run.context.alertOnFailure !== false) return { alert, change };
  const detail = 'recorded as a change; this webhook raises no alerts of changes';
  return { omitted: ignored(index, 'change-recorded', detail), change };
}

const ignored = (index: number, reason: IgnoreReason, detail: string): Omitted => ({
  index,
  outcome: 'ignored',
  reason,
  detail,
});

/** A receipt without a single alert is answered as a whole: broken when any element was, else ignored. */
function settle(reads: readonly Read[]): Normalization {
  const alerts: NormalizedAlert[] = [];
  const omitted: Omitted[] = [];
  const changes: ChangeEvent[] = [];
  for (const read of reads) {
    if (read.alert) alerts.push(read.alert);
    if (read.omitted) omitted.push(read.omitted);
    if (read.change) changes.push(read.change);
  }
  const broken = omitted.find((one) => one.outcome === 'dead-lettered');
  // Beside a change even an unreadable element is a part, not the whole.
  if (alerts.length > 0 || (broken && changes.length > 0))
    return { kind: 'alerts', total: reads.length, alerts, omitted, changes };
  if (broken) return { kind: 'unreadable', reason: broken.reason, detail: broken.detail };
  const first = omitted.find((one) => one.outcome === 'ignored');
  return { kind: 'ignored', reason: first?.reason ?? 'empty-batch', detail: first?.detail ?? '', changes };
}

function draftOf({ source, chains, context }: Run, reading: Reading, words?: UserWords): AlertDraft {
  const notes = new Notes();
  for (const code of context.notes) notes.add(code);
  source.remarks?.(reading, notes);
  const known = { profile: context.severityProfile, notes, words };
  const status: AlertStatus = statusFrom(chains.status, source.status, reading, known);
  const { orders } = source.occurredAt;
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
    occurredAtOrders: typeof orders === 'function' ? orders(reading) : orders,
    changedAt: instantFrom(chains.changedAt, reading, notes),
    endsAt: status === 'triggered' ? instantFrom(chains.endsAt, reading, notes) : undefined,
    dedupKey: textFrom(chains.dedupKey, reading, notes, 'dedupKey'),
    firingKey: textFrom(chains.firingKey, reading, notes, 'firingKey'),
    incidentType: textFrom(chains.incidentType, reading, notes, 'incidentType'),
    fields: source.keep(reading),
    notes,
  };
}

function contextOf(source: SourceConnector, context: NormalizeContext): AlertContext {
  const about: AlertContext = {
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
  if (context.incidentType !== undefined) about.incidentType = context.incidentType;
  if (context.overLimit !== undefined) about.overLimit = context.overLimit;
  if (context.dedup !== undefined) about.dedup = context.dedup;
  return about;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).slice(0, 300);
