import { isObject, textOf, valueAt } from '@tocsin/domain/mapping';

/** More than an alert's description keeps. */
const MAX_NODES = 5_000;
const MAX_DEPTH = 40;

/** Kinds of nodes after which a line ends. */
const BLOCKS: ReadonlySet<unknown> = new Set([
  'paragraph',
  'heading',
  'codeBlock',
  'listItem',
  'blockquote',
  'rule',
  'tableRow',
  'hardBreak',
]);

/**
 * The text of an Atlassian document (`{type: 'doc', content: […]}`), which the API's version 3 has where version 2 had a string. Any other
 * value keeps its usual text.
 */
export function documentText(value: unknown): string | undefined {
  if (!isObject(value) || valueAt(value, 'type') !== 'doc') return textOf(value);
  const parts: string[] = [];
  let left = MAX_NODES;
  const visit = (node: unknown, depth: number): void => {
    left -= 1;
    if (left < 0 || depth > MAX_DEPTH || !isObject(node)) return;
    const text = valueAt(node, 'text') ?? valueAt(node, 'attrs', 'text') ?? valueAt(node, 'attrs', 'url');
    if (typeof text === 'string') parts.push(text);
    const content = valueAt(node, 'content');
    if (Array.isArray(content)) for (const inner of content.slice(0, MAX_NODES)) visit(inner, depth + 1);
    if (BLOCKS.has(valueAt(node, 'type'))) parts.push('\n');
  };
  visit(value, 0);
  const text = parts
    .join('')
    .replaceAll(/\n{2,}/g, '\n')
    .trim();
  return text === '' ? undefined : text;
}
