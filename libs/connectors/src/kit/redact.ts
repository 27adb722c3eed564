import { isObject } from '@tocsin/domain/mapping';

/** Takes what must not be kept out of a decoded payload, in place: nobody else holds that value. */
export type Redact = (root: unknown) => void;

const REDACTED = '[redacted]';

/** Paths of keys: `$.a.b`, with `[*]` for every element of a list and `*` for every key. */
export function compileRedaction(paths: readonly string[]): Redact {
  const compiled = paths.map(keysOf);
  return (root) => {
    for (const keys of compiled) redactAt(root, keys, 0);
  };
}

function keysOf(path: string): readonly string[] {
  if (!/^\$(?:\.(?:[\w-]+|\*)|\[\*\])+$/.test(path)) throw new Error(`redact: "${path}" is not a path of keys`);
  return path.slice(1).replaceAll('[*]', '.*').split('.').slice(1);
}

function redactAt(value: unknown, keys: readonly string[], at: number): void {
  const key = keys[at];
  if (key === undefined || (!isObject(value) && !Array.isArray(value))) return;
  const holder = value as Record<string, unknown>;
  for (const name of key === '*' ? Object.keys(holder) : Object.hasOwn(holder, key) ? [key] : []) {
    if (at < keys.length - 1) redactAt(holder[name], keys, at + 1);
    else if (holder[name] !== null && holder[name] !== '') holder[name] = REDACTED;
  }
}
