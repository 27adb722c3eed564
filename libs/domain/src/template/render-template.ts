import { filters } from './filters.ts';
import { templateLimits } from './limits.ts';
import type { Placeholder } from './placeholder.ts';
import type { Template } from './read-template.ts';
import { textOf } from './text-of.ts';

/** The value at a path; own properties only, so that nothing of the language itself can be read. */
function valueAt(context: unknown, path: readonly string[]): unknown {
  let value = context;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string, unknown>)[step];
  }
  return value;
}

const valueOf = ({ path, filters: calls }: Placeholder, context: unknown): unknown =>
  calls.reduce<unknown>((value, { name, args }) => filters[name]?.apply(value, args), valueAt(context, path));

/** A text that is one placeholder keeps the value's type; what is missing is empty. */
function rendered(pieces: readonly (string | Placeholder)[], context: unknown): unknown {
  const [only] = pieces;
  if (pieces.length === 1 && only !== undefined && typeof only !== 'string') {
    const value = valueOf(only, context);
    return typeof value === 'string' ? cut(value) : (value ?? (value === null ? null : ''));
  }
  return cut(pieces.map((piece) => (typeof piece === 'string' ? piece : textOf(valueOf(piece, context)))).join(''));
}

const cut = (text: string): string =>
  text.length > templateLimits.renderedText ? text.slice(0, templateLimits.renderedText).toWellFormed() : text;

/** Fills a template from a context of JSON values. Never throws for any context; makes JSON, so values cannot break out of their place. */
export function renderTemplate(template: Template, context: unknown): unknown {
  switch (template.kind) {
    case 'value':
      return template.value;
    case 'text':
      return rendered(template.pieces, context);
    case 'list':
      return template.items.map((item) => renderTemplate(item, context));
    case 'object': {
      const out: Record<string, unknown> = {};
      for (const [key, child] of template.entries)
        // defineProperty, because assigning to `__proto__` would lose the key.
        Object.defineProperty(out, key, {
          value: renderTemplate(child, context),
          enumerable: true,
          configurable: true,
          writable: true,
        });
      return out;
    }
  }
}
