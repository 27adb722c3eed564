import type { Schema } from './document.ts';

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
export const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? sign);
export const code = (text: string): string => `<code>${escaped(text)}</code>`;
/** Plain text with `code` in backticks, as descriptions are written. */
export const prose = (text: string): string =>
  text
    .split('\n\n')
    .map((part) => `<p>${escaped(part).replace(/`([^`]+)`/g, '<code>$1</code>')}</p>`)
    .join('');

const nameOf = (reference: string): string => reference.split('/').at(-1) ?? '';
const shown = (value: unknown): string => code(JSON.stringify(value));

/** What kind of value a schema asks for, as HTML; components are links. */
export function kindOf(schema: Schema): string {
  if (schema.$ref) return `<a href="#schema-${nameOf(schema.$ref)}">${nameOf(schema.$ref)}</a>`;
  if (schema.enum) return schema.enum.map(shown).join(' | ');
  if (schema.const !== undefined) return shown(schema.const);
  if (schema.anyOf) return schema.anyOf.map(kindOf).join(' | ');
  if (schema.allOf && !schema.type) return schema.allOf.map(kindOf).join(' and ');
  if (schema.items) return `list of ${kindOf(schema.items)}`;
  const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? ['any value']);
  return escaped(types.join(' | '));
}

const LIMITS: readonly (readonly [keyword: string, said: string])[] = [
  ['minimum', 'at least'],
  ['maximum', 'at most'],
  ['minLength', 'characters at least'],
  ['maxLength', 'characters at most'],
  ['minItems', 'entries at least'],
  ['maxItems', 'entries at most'],
  ['pattern', 'fits'],
  ['format', 'format'],
  ['default', 'default'],
];

export function limitsOf(schema: Schema): string {
  return LIMITS.flatMap(([keyword, said]) => {
    const value = schema[keyword];
    if (value === undefined) return [];
    return [`${said} ${code(typeof value === 'string' ? value : JSON.stringify(value))}`];
  }).join(', ');
}

/** Fields of an object, with nested objects below their parent. */
export function fieldRows(schema: Schema, parent = ''): string {
  return Object.entries(schema.properties ?? {})
    .map(([name, field]) => {
      const path = `${parent}${name}`;
      const must = schema.required?.includes(name) ? ' *' : '';
      const said = field.description ? prose(field.description) : '';
      const inner = field.properties ? field : field.items?.properties ? field.items : undefined;
      const below = inner ? fieldRows(inner, `${path}${inner === field ? '.' : '[].'}`) : '';
      return `<tr><td>${code(path)}${must}</td><td>${kindOf(field)}</td><td>${limitsOf(field)}${said}</td></tr>${below}`;
    })
    .join('');
}

export const fieldTable = (schema: Schema): string =>
  schema.properties
    ? `<table><thead><tr><th>field</th><th>kind</th><th></th></tr></thead><tbody>${fieldRows(schema)}</tbody></table>`
    : `<p>${kindOf(schema)}</p>`;
