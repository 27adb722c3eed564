import type { ConditionOperator } from '@tocsin/contracts';
import type { Expected } from './compiled.ts';
import { fieldRef, type FieldRef } from './fields.ts';
import { compilePattern, PATTERN_MAX } from './pattern.ts';
import type { Reading } from './read-condition.ts';

const VALUE_LIMITS = { text: 1_000, list: 500 } as const;

interface ValueAt {
  value: unknown;
  operator: ConditionOperator;
  field: FieldRef;
  path: string;
}

const OF_LISTS: ReadonlySet<string> = new Set(['in', 'not_in', 'intersects']);

/** What a leaf compares with, out of its `value`. Undefined after it was refused. */
export function readValue(one: ValueAt, reading: Reading): Expected | undefined {
  const { value, operator, field, path } = one;
  if (operator === 'exists') {
    if (value === undefined || typeof value === 'boolean') return { kind: 'nothing' };
    return reading.refuse(path, 'value-type', 'must be true, false or absent with "exists"');
  }
  if (value === undefined || value === null)
    return reading.refuse(path, 'value-missing', `is needed with "${operator}"`);
  if (operator === 'regex') return readPattern(value, path, reading);
  if (typeof value === 'object' && !Array.isArray(value)) return readIncidentValue(value, path, reading);
  if (operator === 'intersects' && Array.isArray(value) && value.length === 0)
    return incidentField(field, path, reading);
  if (OF_LISTS.has(operator) !== Array.isArray(value))
    return reading.refuse(
      path,
      'value-type',
      OF_LISTS.has(operator) ? `must be a list with "${operator}"` : `must be one value with "${operator}"`,
    );
  return readTexts(Array.isArray(value) ? value : [value], one, reading);
}

function readPattern(value: unknown, path: string, reading: Reading): Expected | undefined {
  if (typeof value !== 'string') return reading.refuse(path, 'value-type', 'must be a regular expression');
  if (value.length > PATTERN_MAX)
    return reading.refuse(path, 'value-too-long', `is longer than ${PATTERN_MAX} characters`);
  const pattern = compilePattern(value);
  if (pattern.ok) return { kind: 'pattern', matches: pattern.matches, source: value };
  return reading.refuse(path, 'bad-regex', `${pattern.message} at character ${pattern.column}`);
}

/** `{"incident": field}`. */
function readIncidentValue(value: object, path: string, reading: Reading): Expected | undefined {
  const { incident, ...others } = value as { incident?: unknown };
  if (typeof incident !== 'string' || Object.keys(others).length > 0)
    return reading.refuse(path, 'value-type', 'must be a value, a list of values, or {"incident": "<field>"}');
  const field = fieldRef(incident);
  if (field.root === null)
    reading.warn(path, 'unknown-field', `there is no field ${JSON.stringify(incident.slice(0, 200))}`);
  return incidentField(field, path, reading);
}

function incidentField(field: FieldRef, path: string, reading: Reading): Expected | undefined {
  if (!reading.options.incident)
    return reading.refuse(path, 'no-incident-here', 'there is no incident to compare with here');
  if (field.root !== null && !field.ofIncidents)
    reading.warn(path, 'never-holds', `incidents have no ${field.name} of their own`);
  return { kind: 'incident', field };
}

function readTexts(values: readonly unknown[], { field, path }: ValueAt, reading: Reading): Expected | undefined {
  if (values.length === 0) return reading.refuse(path, 'value-missing', 'must hold at least one value');
  if (values.length > VALUE_LIMITS.list)
    return reading.refuse(path, 'too-many-values', `holds more than ${VALUE_LIMITS.list} values`);
  const texts = new Set<string>();
  for (const value of values) {
    if (!['string', 'number', 'boolean'].includes(typeof value))
      return reading.refuse(path, 'value-type', 'must be text, a number, true or false');
    const text = String(value);
    if (text.length > VALUE_LIMITS.text)
      return reading.refuse(path, 'value-too-long', `is longer than ${VALUE_LIMITS.text} characters`);
    texts.add(field.ignoresCase ? text.toLowerCase() : text);
  }
  return { kind: 'texts', texts };
}
