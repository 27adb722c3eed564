import { RE2JS, RE2JSSyntaxException } from 're2js';

/** Longest pattern (product P10). */
export const PATTERN_MAX = 512;

export type Pattern =
  | { ok: true; matches: (text: string) => boolean }
  /** `column` counts from 1. */
  | { ok: false; column: number; message: string };

/** Compiles an RE2 pattern: matching takes time linear in the text, whatever the pattern. It matches anywhere unless anchored. */
export function compilePattern(source: string): Pattern {
  try {
    const compiled = RE2JS.compile(source);
    return { ok: true, matches: (text) => compiled.matcher(text).find() };
  } catch (error) {
    if (!(error instanceof RE2JSSyntaxException)) return { ok: false, column: 1, message: 'cannot be compiled' };
    const fragment = String(error.input ?? '');
    return { ok: false, column: columnOf(source, fragment), message: `${error.error}: ${fragment}` };
  }
}

/** The compiler names the piece that it stumbled over. An unclosed group names the whole pattern: there it is its end. */
function columnOf(source: string, fragment: string): number {
  if (fragment === source) return source.length + 1;
  const at = fragment === '' ? -1 : source.indexOf(fragment);
  return at < 0 ? 1 : at + 1;
}
