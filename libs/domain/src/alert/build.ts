import { hash } from 'node:crypto';
import { alertIdOf, type AlertKind, type AlertStatus, type NormalizedAlert, type Severity } from '@tocsin/contracts';
import { limitFields, limitList, limitText, type Notes } from '../mapping/index.ts';
import { recipeKeys, type KeyRecipe } from './recipe.ts';

/** What a connector read from one element of a payload; texts are as received. */
export interface AlertDraft {
  status: AlertStatus;
  /** Undefined: the webhook's default severity is taken. */
  severity: Severity | undefined;
  title: string | undefined;
  description: string | undefined;
  services: readonly string[];
  tags: readonly string[];
  source: string | undefined;
  url: string | undefined;
  /** ISO 8601 UTC with milliseconds. */
  occurredAt: string | undefined;
  /** The source means by `occurredAt` the time of this change, so that it may order triggers and resolves. */
  occurredAtOrders: boolean;
  /** The time of this change, where the source has it beside `occurredAt`; it orders then. */
  changedAt?: string | undefined;
  /** When it is over unless the source says again that it is not. Only of triggers. */
  endsAt?: string | undefined;
  /** The vendor's id of what is wrong; undefined: the recipe. */
  dedupKey: string | undefined;
  firingKey: string | undefined;
  incidentType: string | undefined;
  fields: Readonly<Record<string, unknown>>;
  /** What the user's mapping took out of the payload; within its limits already. */
  customFields?: Readonly<Record<string, unknown>>;
  /** `dedupKey` is the user's, which goes before the connector's (product P8). */
  dedupKeyFromMapping?: boolean;
  notes: Notes;
}

/** What is known about the receipt that the draft came with. */
export interface AlertContext {
  receiptId: string;
  workspaceId: string;
  webhookId: string;
  connector: string;
  /** Shown in the title of an alert that has none. */
  connectorTitle: string;
  kind: AlertKind;
  receivedAt: string;
  configRevision: number;
  defaultSeverity: Severity;
  /** The webhook's `incident_type`, for alerts that have none. */
  incidentType?: string | null;
  /** The request came above the webhook's hourly rate (product P7). */
  overLimit?: boolean;
  /** How keys are made; absent = the source's, else the default recipe. */
  dedup?: KeyRecipe;
}

const sha256 = (text: string): string => hash('sha256', text);

/** Longer vendor keys are replaced by their hash: a key is indexed, and a B-tree entry ends at about 2,700 bytes. */
const MAX_KEY = 512;

/**
 * The normalised alert of a draft: limits and cleaning, defaults with notes, keys, ids. `index` counts the elements of the payload
 * before any filter, so that an alert keeps its id whatever is ignored beside it.
 */
export function buildAlert(draft: AlertDraft, context: AlertContext, index: number): NormalizedAlert {
  const { notes } = draft;
  const title = titleOf(draft, context);
  const severity = draft.severity ?? context.defaultSeverity;
  const occurredAt = clampedTime(draft, context.receivedAt);
  const alert: Built = {
    id: alertIdOf(context.receiptId, index),
    index,
    receiptId: context.receiptId,
    workspaceId: context.workspaceId,
    webhookId: context.webhookId,
    connector: context.connector,
    kind: context.kind,
    status: draft.status,
    severity,
    title,
    description: limitText(draft.description ?? '', notes, 'description'),
    services: limitList(draft.services, notes, 'services'),
    tags: limitList(draft.tags, notes, 'tags'),
    source: optionalText(draft.source, notes, 'source'),
    url: optionalText(draft.url, notes, 'url'),
    occurredAt,
    occurredAtOrders: draft.occurredAtOrders && occurredAt !== null,
    receivedAt: context.receivedAt,
    firingKey: draft.firingKey === undefined ? null : shortKey(draft.firingKey, notes, 'firingKey'),
    scope: context.workspaceId, // other scope recipes come with their setting
    incidentType: optionalText(draft.incidentType, notes, 'incidentType') ?? context.incidentType ?? null,
    customFields: { ...draft.customFields },
    fields: limitFields(draft.fields, notes),
    configRevision: context.configRevision,
  };
  if (draft.changedAt !== undefined) alert.changedAt = earlier(draft.changedAt, context.receivedAt);
  if (draft.endsAt !== undefined && draft.endsAt > context.receivedAt) alert.endsAt = draft.endsAt;
  if (context.overLimit === true) alert.overLimit = true;
  return finished(alert, keysOf(draft, alert, context.dedup), notes);
}

/** Set one by one: two copies of an alert were a noticeable part of what it costs to normalise it. */
function finished(alert: Built, { dedupKey, dedupKeyOrigin, resolveKey }: Keys, notes: Notes): NormalizedAlert {
  alert.dedupKey = dedupKey;
  alert.dedupKeyOrigin = dedupKeyOrigin;
  alert.resolveKey = resolveKey;
  alert.notes = notes.all();
  return alert as NormalizedAlert;
}

function titleOf(draft: AlertDraft, context: AlertContext): string {
  if (draft.title !== undefined) return limitText(draft.title, draft.notes, 'title');
  draft.notes.add('title-missing', 'title');
  return `${context.connectorTitle} alert without a title`;
}

const optionalText = (text: string | undefined, notes: Notes, path: string): string | null =>
  text === undefined ? null : limitText(text, notes, path);

/** Of two instants of the same form. */
const earlier = (one: string, other: string): string => (one < other ? one : other);

function clampedTime(draft: AlertDraft, receivedAt: string): string | null {
  if (draft.occurredAt === undefined) return null;
  if (draft.occurredAt <= receivedAt) return draft.occurredAt;
  draft.notes.add('time-clamped', 'occurredAt', draft.occurredAt);
  return receivedAt;
}

type Keys = Pick<NormalizedAlert, 'dedupKey' | 'dedupKeyOrigin' | 'resolveKey'>;
type Keyless = Omit<NormalizedAlert, keyof Keys | 'notes'>;
/** An alert that gets its keys and notes at last. */
type Built = Keyless & Partial<Pick<NormalizedAlert, keyof Keys | 'notes'>>;

/** The mapping's key, else the connector's, else the recipe; the recipe alone where the webhook wants that. */
function keysOf(draft: AlertDraft, alert: Keyless, { key, recipe }: KeyRecipe = {}): Keys {
  if (draft.dedupKey === undefined || key === 'recipe')
    return { ...recipeKeys(alert, recipe), dedupKeyOrigin: 'recipe' };
  const dedupKey = shortKey(draft.dedupKey, draft.notes, 'dedupKey');
  const dedupKeyOrigin = draft.dedupKeyFromMapping === true ? 'mapping' : 'connector';
  return { dedupKey, dedupKeyOrigin, resolveKey: dedupKey };
}

function shortKey(key: string, notes: Notes, path: string): string {
  if (key.length > MAX_KEY) {
    notes.add('dedup-key-hashed', path, `${key.length} characters`);
    return `sha256:${sha256(key)}`;
  }
  return limitText(key, notes, path);
}
