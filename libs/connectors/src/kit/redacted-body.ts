import { isObject, parseJson } from '@tocsin/domain/mapping';
import { textOfBody } from './decoding/body-text.ts';
import { formFieldsOf, isForm } from './decoding/forms.ts';
import { unwrap } from './decoding/unwrap.ts';
import type { Payload } from './compile.ts';
import { compileRedaction, type Redact } from './redact.ts';
import type { SourceConnector } from './source-connector.ts';

export interface RedactedBody {
  bytes: Uint8Array;
  /** As `bytes` has it: a form is written anew, url-encoded. */
  contentType: string | null;
  changed: boolean;
}

type Redacting = Pick<SourceConnector, 'redact' | 'unwrap' | 'decode'>;

const compiled = new WeakMap<Redacting, Redact>();
function redactOf(source: Redacting): Redact {
  let redact = compiled.get(source);
  if (!redact) compiled.set(source, (redact = compileRedaction(source.redact ?? [])));
  return redact;
}

/**
 * A body as it may be kept: without what the connector must never store, and giving the same alerts when it is normalised again.
 * The bytes are the given ones where nothing had to go. Undefined where the connector has something to hide and the body cannot be
 * read, so that nobody can say what is in it. Never throws.
 */
export function redactedBody(source: Redacting, payload: Payload): RedactedBody | undefined {
  const { bytes, contentType } = payload;
  if (!source.redact || source.redact.length === 0) return { bytes, contentType, changed: false };
  try {
    const body = textOfBody(bytes, contentType);
    if (body.isBlank) return { bytes, contentType, changed: false };
    if (isForm(payload, body)) return redactedForm(source, payload, formFieldsOf(payload, body));
    const text = withoutSecrets(source, parseJson(body.text));
    if (text === undefined) return { bytes, contentType, changed: false };
    return { bytes: Buffer.from(text, 'utf8'), contentType: 'application/json', changed: true };
  } catch {
    return undefined; // not JSON, or nested beyond the stack
  }
}

function redactedForm(source: Redacting, payload: Payload, fields: Record<string, string>): RedactedBody | undefined {
  const { bytes, contentType } = payload;
  const unchanged: RedactedBody = { bytes, contentType, changed: false };
  const field = source.decode.find((one) => typeof one === 'object' && Object.hasOwn(fields, one.formField));
  let written: Record<string, string>;
  if (typeof field === 'object') {
    const text = withoutSecrets(source, parseJson(fields[field.formField] as string));
    if (text === undefined) return unchanged;
    written = { ...fields, [field.formField]: text };
  } else if (source.decode.includes('form')) {
    const text = withoutSecrets(source, fields);
    if (text === undefined) return unchanged;
    written = textsOf(JSON.parse(text) as Record<string, unknown>);
  } else return undefined;
  const form = new URLSearchParams(written).toString();
  return { bytes: Buffer.from(form, 'utf8'), contentType: 'application/x-www-form-urlencoded', changed: true };
}

/** A document that was opened inside a form's field is a text there again. */
const textsOf = (fields: Record<string, unknown>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
  );

/**
 * The JSON of a value without its secrets; undefined where it has none. Documents inside texts stay texts unless a secret is in them.
 * A number that a double cannot carry is a text here, as the connector will read it.
 */
function withoutSecrets(source: Redacting, value: unknown): string | undefined {
  const redact = redactOf(source);
  const before = JSON.stringify(value);
  redact(value);
  const outer = JSON.stringify(value);
  if (!source.unwrap || !isObject(value)) return outer === before ? undefined : outer;
  const opened = unwrap(value, source.unwrap);
  const closed = JSON.stringify(opened);
  redact(opened);
  const inner = JSON.stringify(opened);
  if (inner !== closed) return inner;
  return outer === before ? undefined : outer;
}
