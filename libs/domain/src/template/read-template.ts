import type { ProblemDetail } from '@tocsin/contracts';
import { templateLimits } from './limits.ts';
import { endOfPlaceholder, readPlaceholder, type Placeholder } from './placeholder.ts';

/** A template that was checked: texts in pieces, everything else as it was. */
export type Template =
  | { kind: 'value'; value: string | number | boolean | null }
  | { kind: 'text'; pieces: readonly (string | Placeholder)[] }
  | { kind: 'list'; items: readonly Template[] }
  | { kind: 'object'; entries: readonly (readonly [string, Template])[] };

export type ReadTemplate = { ok: true; template: Template } | { ok: false; problems: ProblemDetail[] };

class Builder {
  readonly problems: ProblemDetail[] = [];
  private placeholders = 0;

  build(value: unknown, path: string, depth: number): Template {
    if (depth > templateLimits.depth) return this.wrong(path, 'too-deep', `at most ${templateLimits.depth} levels`);
    if (typeof value === 'string') return this.text(value, path);
    if (Array.isArray(value))
      return { kind: 'list', items: value.map((item, index) => this.build(item, `${path}[${index}]`, depth + 1)) };
    if (typeof value === 'object' && value !== null) {
      const entries = Object.entries(value).map(
        ([key, child]) => [key, this.build(child, `${path}.${key}`, depth + 1)] as const,
      );
      return { kind: 'object', entries };
    }
    if (value === null || typeof value === 'number' || typeof value === 'boolean') return { kind: 'value', value };
    return this.wrong(path, 'not-json', 'is not a JSON value');
  }

  private text(text: string, path: string): Template {
    const pieces: (string | Placeholder)[] = [];
    let from = 0;
    for (let open = text.indexOf('{{'); open >= 0; open = text.indexOf('{{', from)) {
      if (open > from) pieces.push(text.slice(from, open));
      const close = endOfPlaceholder(text, open + 2);
      if (close < 0) return this.wrong(path, 'template-syntax', `"{{" at column ${open + 1} has no "}}"`);
      const read = readPlaceholder(text.slice(open + 2, close), open + 2);
      if ('message' in read) return this.wrong(path, 'template-syntax', `column ${read.at + 1}: ${read.message}`);
      this.placeholders += 1;
      if (this.placeholders === templateLimits.placeholders + 1)
        this.wrong(path, 'too-many-placeholders', `at most ${templateLimits.placeholders} in one template`);
      pieces.push(read);
      from = close + 2;
    }
    if (from < text.length) pieces.push(text.slice(from));
    return pieces.length === 0 ? { kind: 'value', value: text } : { kind: 'text', pieces };
  }

  private wrong(path: string, code: string, message: string): Template {
    if (this.problems.length < templateLimits.problems) this.problems.push({ path, code, message });
    return { kind: 'value', value: null };
  }
}

/**
 * Checks and compiles a JSON template (product P12): an object or a list whose texts may hold `{{path | filter: argument}}`.
 * `at` names the template in the problems' paths, e.g. `transform`.
 */
export function readTemplate(document: unknown, at: string): ReadTemplate {
  if (typeof document !== 'object' || document === null)
    return { ok: false, problems: [{ path: at, code: 'not-an-object', message: 'must be a JSON object or list' }] };
  if (JSON.stringify(document).length > templateLimits.characters) {
    const message = `must have at most ${templateLimits.characters} characters as JSON`;
    return { ok: false, problems: [{ path: at, code: 'too-long', message }] };
  }
  const builder = new Builder();
  const template = builder.build(document, at, 1);
  return builder.problems.length > 0 ? { ok: false, problems: builder.problems } : { ok: true, template };
}
