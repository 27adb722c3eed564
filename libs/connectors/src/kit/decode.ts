import { isEmptyObject, type NoteCode, parseJson, withinLimits } from '@tocsin/domain/mapping';
import { type BodyText, textOfBody } from './decoding/body-text.ts';
import { formFieldsOf, isForm, queryFieldsOf } from './decoding/forms.ts';
import { repairJson } from './decoding/json-repair.ts';
import { parseSequence } from './decoding/json-sequence.ts';
import { unwrap } from './decoding/unwrap.ts';
import type { Payload } from './compile.ts';
import type { Decoding, SourceConnector } from './source-connector.ts';

export type Decoded = { kind: 'decoded'; root: unknown; note?: NoteCode } | { kind: 'undecodable'; detail: string };

/** Undefined where a decoding does not apply to this body, so that the next one has its turn. */
type Attempt = Decoded | undefined;

/**
 * The value of a body in the first declared encoding that fits, with the documents inside it opened. The content type says whether a
 * body is a form and in which charset it is, never that it is no JSON: several senders post JSON as text/plain.
 * Never throws; work is linear in the size of the body.
 */
export function decodePayload(how: Pick<SourceConnector, 'decode' | 'unwrap'>, payload: Payload): Decoded {
  try {
    const decoded = decodeBody(how.decode, payload);
    if (decoded.kind === 'undecodable' || !how.unwrap) return decoded;
    return { ...decoded, root: unwrap(decoded.root, how.unwrap) };
  } catch (error) {
    return undecodable(error); // a RangeError: nesting beyond the stack, which the gateway refuses but a replayed record could hold
  }
}

function decodeBody(decodings: readonly Decoding[], payload: Payload): Decoded {
  const body = textOfBody(payload.bytes, payload.contentType);
  let failed: Decoded | undefined;
  for (const decoding of decodings) {
    const attempt = attemptOf(decoding, body, payload);
    if (attempt?.kind === 'decoded') return body.invalid ? { note: 'invalid-utf8', ...attempt } : attempt;
    failed ??= attempt;
  }
  if (failed) return failed;
  return undecodable(body.isBlank ? 'the body is empty' : 'the connector has no decoding for this body');
}

function attemptOf(decoding: Decoding, body: BodyText, payload: Payload): Attempt {
  switch (decoding) {
    case 'json':
      return body.isBlank || isForm(payload, body) ? undefined : parsed(body.text, parseJson);
    case 'json-sequence':
      return body.isBlank || isForm(payload, body) ? undefined : parsed(body.text, parseSequence);
    case 'repaired-json':
      return body.isBlank || isForm(payload, body) ? undefined : repaired(body.text);
    case 'form':
      return isForm(payload, body) ? fields(formFieldsOf(payload, body)) : undefined;
    case 'query':
      return body.isBlank ? fields(queryFieldsOf(payload.query ?? '')) : undefined;
    default:
      return isForm(payload, body) ? fieldHoldingJson(payload, body, decoding.formField) : undefined;
  }
}

/** A text that is no JSON is nothing unusual here, and nobody reads where in our code that was found: the trace is most of its cost. */
function parsed(text: string, parse: (text: string) => unknown): Decoded {
  const frames = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return { kind: 'decoded', root: parse(text) };
  } catch (error) {
    return undecodable(error);
  } finally {
    Error.stackTraceLimit = frames;
  }
}

function repaired(text: string): Decoded {
  const plain = parsed(repairJson(text), parseJson);
  const attempt = plain.kind === 'decoded' ? plain : parsed(repairJson(text, { openQuoted: true }), parseJson);
  return attempt.kind === 'decoded' ? { ...attempt, note: 'json-repaired' } : attempt;
}

const fields = (found: Record<string, string>): Attempt =>
  isEmptyObject(found) ? undefined : { kind: 'decoded', root: found };

function fieldHoldingJson(payload: Payload, body: BodyText, name: string): Attempt {
  const found = formFieldsOf(payload, body);
  const text = Object.hasOwn(found, name) ? found[name] : undefined;
  if (text === undefined) return undefined;
  const attempt = parsed(text, parseJson);
  // The gateway counted the keys and levels of JSON bodies; those of JSON in a form are counted here.
  if (attempt.kind === 'decoded' && !withinLimits(attempt.root))
    return undecodable(`the field "${name}" is too complex`);
  return attempt;
}

function undecodable(cause: unknown): Decoded {
  const detail = cause instanceof Error ? `not JSON: ${cause.message}` : String(cause);
  return { kind: 'undecodable', detail: detail.slice(0, 300).toWellFormed() };
}
