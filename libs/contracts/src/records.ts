import type { Static, TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { AlertsCorrelatedSchema, AlertsNormalizedSchema, IncidentFactSchema, PublicIncidentSchema } from './alerts.ts';
import {
  ChangeEventSchema,
  DeliveryEventSchema,
  IncidentEventRecordSchema,
  PlatformDataSchema,
  RcaEventSchema,
} from './public-events.ts';
import {
  DeadLetterFactsSchema,
  ReceiptFactsSchema,
  ReceiptRepliedSchema,
  ReceiptsErasedSchema,
  ReceiptsSettledSchema,
  RequestsAnsweredSchema,
} from './receipts.ts';
import { IncidentCommandSchema } from './sync.ts';
import type { Topic } from './topics.ts';

/**
 * Every record type that goes between services: its topic and the schema of its JSON value.
 * Records are checked when written (`encodeRecord`) and in tests; a reader trusts the writer.
 */
export const recordTypes = {
  'alerts.normalized.v1': { topic: 'correlation.inputs', schema: AlertsNormalizedSchema },
  'incident.fact.v1': { topic: 'correlation.inputs', schema: IncidentFactSchema },
  'alerts.correlated.v1': { topic: 'alert.correlated', schema: AlertsCorrelatedSchema },
  'receipt.replied.v1': { topic: 'webhook.replies', schema: ReceiptRepliedSchema },
  'receipts.settled.v1': { topic: 'webhook.outcomes', schema: ReceiptsSettledSchema },
  'receipts.erased.v1': { topic: 'webhook.outcomes', schema: ReceiptsErasedSchema },
  'requests.answered.v1': { topic: 'webhook.outcomes', schema: RequestsAnsweredSchema },
  'incident.event.v1': { topic: 'incident.events', schema: IncidentEventRecordSchema },
  'incident.state.v1': { topic: 'incident.state', schema: PublicIncidentSchema },
  'change.event.v1': { topic: 'change.events', schema: ChangeEventSchema },
  'rca.event.v1': { topic: 'rca.events', schema: RcaEventSchema },
  'delivery.event.v1': { topic: 'delivery.events', schema: DeliveryEventSchema },
  'incident.command.v1': { topic: 'incident.commands', schema: IncidentCommandSchema },
  'platform.event.v1': { topic: 'platform.events', schema: PlatformDataSchema },
} as const satisfies Record<string, { topic: Topic; schema: TSchema }>;

export type RecordType = keyof typeof recordTypes;
export type RecordValue<T extends RecordType> = Static<(typeof recordTypes)[T]['schema']>;

/** Types whose value is raw bytes; what describes them is in the `facts` header. */
export const rawRecordTypes = {
  'webhook.received.v1': { topic: 'webhook.received', facts: ReceiptFactsSchema },
  'dead.letter.v1': { topic: 'dead-letters', facts: DeadLetterFactsSchema },
} as const;
export type RawRecordType = keyof typeof rawRecordTypes;
export type RawRecordFacts<T extends RawRecordType> = Static<(typeof rawRecordTypes)[T]['facts']>;

/** A value does not fit the schema of its record type: a bug of the writer, never of the sender. */
export class RecordSchemaError extends Error {
  readonly code = 'schema-mismatch';
  constructor(
    readonly type: string,
    readonly at: string,
    message: string,
  ) {
    super(`${type} at ${at || '/'}: ${message}`);
  }
}

const validators = new Map<string, Validator>();
function validatorOf(name: string, schema: TSchema): Validator {
  let validator = validators.get(name);
  if (!validator) validators.set(name, (validator = Compile(schema)));
  return validator;
}

function check(name: string, schema: TSchema, value: unknown): void {
  const validator = validatorOf(name, schema);
  if (validator.Check(value)) return;
  const [first] = validator.Errors(value) as { instancePath: string; message: string }[];
  throw new RecordSchemaError(name, first?.instancePath ?? '', first?.message ?? 'does not fit');
}

/** For who writes a record's JSON by itself. @throws RecordSchemaError */
export function checkRecord<T extends RecordType>(type: T, value: RecordValue<T>): void {
  check(type, recordTypes[type].schema, value);
}

/** JSON bytes of a record value, checked against its schema. @throws RecordSchemaError */
export function encodeRecord<T extends RecordType>(type: T, value: RecordValue<T>): Uint8Array {
  checkRecord(type, value);
  return Buffer.from(JSON.stringify(value), 'utf8');
}

/** The value of a record. @throws SyntaxError when the bytes are not JSON. Not validated: the writer did. */
export function decodeRecord<T extends RecordType>(_type: T, bytes: Uint8Array): RecordValue<T> {
  return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')) as RecordValue<T>;
}

/** Text of a `facts` header, checked against its schema. @throws RecordSchemaError */
export function encodeFacts<T extends RawRecordType>(type: T, facts: RawRecordFacts<T>): string {
  check(`${type}#facts`, rawRecordTypes[type].facts, facts);
  return JSON.stringify(facts);
}

export function decodeFacts<T extends RawRecordType>(_type: T, header: string): RawRecordFacts<T> {
  return JSON.parse(header) as RawRecordFacts<T>;
}
