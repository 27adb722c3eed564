import { checkEventData, eventTypeOf, isEventType, type EventTypeName } from './catalogue/index.ts';
import { deriveId } from './ids.ts';
import type { CloudEventHeaders } from './public-events.ts';
import type { PoisonReason } from './reasons.ts';
import { RecordSchemaError } from './records.ts';

/** Largest `data` of a catalogue event, as compact JSON. */
export const PLATFORM_DATA_MAX_BYTES = 256 * 1024;
/** Deepest nesting of `data`. */
export const PLATFORM_DATA_MAX_DEPTH = 32;

/** One event of the catalogue beside those of incidents, whoever says it. */
export interface PlatformEvent {
  id: string;
  name: EventTypeName;
  workspaceId: string;
  /** Of the organisation's service, or `/tocsin`. */
  source: string;
  /** ISO 8601, UTC, milliseconds. */
  at: string;
  data: Record<string, unknown>;
}

/** A record of `platform.events` as it is read. `type` is empty for records that other services wrote. */
export interface PlatformRecord {
  type: string;
  headers: Readonly<Record<string, string>>;
  value: Uint8Array;
  /** Milliseconds since the epoch, as the log stamped it. */
  timestamp: number;
}

export type ReadPlatformEvent = { event: PlatformEvent } | { refused: { reason: PoisonReason; detail: string } };

/** Type header of what Tocsin's services say here: a public record has none, and must be of a type that others may publish. */
export const PLATFORM_EVENT_TYPE = 'platform.event.v1';

/** Id of an event that another service named: CloudEvents makes source and id unique together. */
export const publishedEventIdOf = (workspaceId: string, source: string, id: string): string =>
  deriveId('evt', workspaceId, source, id);

/**
 * Record of `platform.events` for an event of ours or one that was checked: CloudEvents 1.0, binary mode.
 * @throws RecordSchemaError when its data does not fit the catalogue: a bug of the writer
 */
export function platformRecordOf(event: PlatformEvent) {
  const [problem] = checkEventData(event.name, event.data);
  if (problem) throw new RecordSchemaError(event.name, problem.path, problem.message);
  const { incident_id: incident, id } = event.data;
  const headers: CloudEventHeaders = {
    ce_id: event.id,
    ce_source: event.source,
    ce_specversion: '1.0',
    ce_type: `tocsin.${event.name}.v1`,
    ce_time: event.at,
    ce_subject: typeof incident === 'string' ? incident : typeof id === 'string' ? headerText(id) : event.id,
    ce_tocsinworkspace: event.workspaceId,
    'content-type': 'application/json',
  };
  return {
    topic: 'platform.events' as const,
    key: event.workspaceId,
    type: PLATFORM_EVENT_TYPE,
    value: new Uint8Array(Buffer.from(JSON.stringify(event.data), 'utf8')),
    headers: { ...headers },
  };
}

/** The attributes of CloudEvents that are read here. */
interface Attributes {
  specversion: unknown;
  id: unknown;
  source: unknown;
  type: unknown;
  time: unknown;
  tocsinworkspace: unknown;
}

class Refusal extends Error {
  constructor(
    readonly reason: PoisonReason,
    message: string,
  ) {
    super(message);
  }
}

/** The event of a record, in binary or structured mode of CloudEvents. Never throws: what cannot be read is refused with its reason. */
export function readPlatformEvent(record: PlatformRecord): ReadPlatformEvent {
  try {
    return { event: eventOf(record) };
  } catch (error) {
    if (error instanceof Refusal) return { refused: { reason: error.reason, detail: error.message } };
    return { refused: { reason: 'undecodable-record', detail: (error as Error).message } };
  }
}

function eventOf(record: PlatformRecord): PlatformEvent {
  const own = record.type === PLATFORM_EVENT_TYPE;
  const { attributes, data } = partsOf(record);
  if (attributes.specversion !== '1.0') throw new Refusal('undecodable-record', 'specversion must be "1.0"');
  const id = needed('id', attributes.id);
  const source = needed('source', attributes.source);
  const workspaceId = needed('tocsinworkspace', attributes.tocsinworkspace);
  const name = nameOf(needed('type', attributes.type), own);
  const wrong = dataProblem(name, data);
  if (wrong) throw new Refusal('schema-mismatch', wrong);
  return {
    id: own ? id : publishedEventIdOf(workspaceId, source, id),
    ...{ name, workspaceId, source, at: timeOf(attributes.time, record.timestamp) },
    data: data as Record<string, unknown>,
  };
}

/** Why `data` cannot be delivered as this event, with the path; undefined where it can. */
export function dataProblem(name: EventTypeName, data: unknown): string | undefined {
  const [problem] = checkEventData(name, data);
  if (problem) return `${problem.path}: ${problem.message}`;
  if (depthOf(data, PLATFORM_DATA_MAX_DEPTH + 1) > PLATFORM_DATA_MAX_DEPTH)
    return `data: nested deeper than ${PLATFORM_DATA_MAX_DEPTH} levels`;
  if (Buffer.byteLength(JSON.stringify(data)) > PLATFORM_DATA_MAX_BYTES)
    return `data: more than ${PLATFORM_DATA_MAX_BYTES} bytes as JSON`;
  return undefined;
}

/** Depth of a JSON value, looked at no further than `most`. */
function depthOf(value: unknown, most: number): number {
  if (typeof value !== 'object' || value === null || most === 0) return 0;
  let deepest = 0;
  for (const child of Object.values(value)) deepest = Math.max(deepest, depthOf(child, most - 1));
  return deepest + 1;
}

/** The catalogue's name of a CloudEvents type: `tocsin.finding.created.v1` or `finding.created`. */
export const nameOfCloudEventType = (type: string): string => /^tocsin\.(.+)\.v1$/.exec(type)?.[1] ?? type;

function nameOf(type: string, own: boolean): EventTypeName {
  const name = nameOfCloudEventType(type);
  if (!isEventType(name))
    throw new Refusal('unknown-record-type', `type: ${name.slice(0, 200)} is not in the catalogue`);
  if (!own && eventTypeOf(name).source !== 'published')
    throw new Refusal('unknown-record-type', `type: ${name} is said by Tocsin only`);
  return name;
}

function needed(name: string, value: unknown): string {
  if (typeof value === 'string' && value !== '' && value.length <= 1_000) return value;
  throw new Refusal('undecodable-record', `${name} must be a text of 1 to 1000 characters`);
}

const INSTANT = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

function timeOf(value: unknown, timestamp: number): string {
  if (value === undefined || value === null) return new Date(timestamp).toISOString();
  const ms = typeof value === 'string' && INSTANT.test(value) ? Date.parse(value) : NaN;
  if (Number.isNaN(ms)) throw new Refusal('schema-mismatch', 'time must be an instant of RFC 3339');
  return new Date(ms).toISOString();
}

/** Attributes and data, from headers and value (binary mode) or from the value alone (structured mode). */
function partsOf({ headers, value }: PlatformRecord): { attributes: Attributes; data: unknown } {
  const json = jsonOf(value);
  if (headers['ce_specversion'] !== undefined) {
    const of = (name: string) => headers[`ce_${name}`];
    const names = ['specversion', 'id', 'source', 'type', 'time', 'tocsinworkspace'] as const;
    return {
      attributes: Object.fromEntries(names.map((name) => [name, of(name)])) as unknown as Attributes,
      data: json,
    };
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new Refusal('undecodable-record', 'neither ce_ headers nor a CloudEvent as JSON object');
  const event = json as Record<string, unknown>;
  if (event['data_base64'] !== undefined) throw new Refusal('undecodable-record', 'data must be JSON, not data_base64');
  return { attributes: event as unknown as Attributes, data: event['data'] };
}

function jsonOf(value: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(value));
  } catch (error) {
    throw new Refusal('undecodable-record', `not JSON: ${(error as Error).message.slice(0, 200)}`);
  }
}

/** Kafka headers are bytes; ours stay printable and short. */
const headerText = (text: string): string => text.replaceAll(/[^\x20-\x7e]/gu, '?').slice(0, 200);
