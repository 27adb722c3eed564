import { compilePath, PathError } from '../mapping/index.ts';

const PLAIN_KEY = /^[^.[\]()?@*'"~^$\s,:`]+$/;

/** The text of a plain path; undefined for keys that no path can name (both kinds of quotes, a backslash) and for paths over the limits. */
export function pathText(keys: readonly (string | number)[]): string | undefined {
  let text = '$';
  for (const key of keys) {
    const step = pathStep(key);
    if (step === undefined) return undefined;
    text += step;
  }
  return isPath(text) ? text : undefined;
}

/** One step of a path; undefined for a key that no path can name. */
export function pathStep(key: string | number): string | undefined {
  if (typeof key === 'number') return `[${key}]`;
  if (PLAIN_KEY.test(key)) return `.${key}`;
  if (key.includes('\\') || !key.isWellFormed()) return undefined;
  if (!key.includes("'")) return `['${key}']`;
  return key.includes('"') ? undefined : `["${key}"]`;
}

function isPath(text: string): boolean {
  try {
    compilePath(text);
    return true;
  } catch (error) {
    if (error instanceof PathError) return false;
    throw error;
  }
}
