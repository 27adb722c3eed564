import { isObject, parseJson, valueAlong, withinLimits } from '@tocsin/domain/mapping';
import type { Unwrapping } from '../source-connector.ts';

/** Opens the documents inside a decoded value. What is not there or is no JSON stays as it is. */
export function unwrap(root: unknown, steps: readonly Unwrapping[]): unknown {
  return steps.reduce(unwrapOne, root);
}

function unwrapOne(root: unknown, { at, encoding, becomes }: Unwrapping): unknown {
  const text = valueAlong(root, at);
  if (typeof text !== 'string') return root;
  const inner = documentOf(encoding === 'json' ? text : Buffer.from(text, 'base64').toString('utf8'));
  if (inner === undefined) return root;
  return becomes === 'root' ? inner : replacedAt(root, at, inner);
}

/** Objects and lists only: the text "42" means a text. */
function documentOf(text: string): unknown {
  if (!/^\s*[{[]/.test(text)) return undefined;
  try {
    const inner = parseJson(text);
    return withinLimits(inner) ? inner : undefined;
  } catch {
    return undefined;
  }
}

function replacedAt(value: unknown, keys: readonly string[], inner: unknown): unknown {
  const [key, ...rest] = keys;
  if (key === undefined || !isObject(value)) return inner;
  return { ...value, [key]: replacedAt(value[key], rest, inner) };
}
