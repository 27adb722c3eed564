import { limitFields, Notes } from '@tocsin/domain/mapping';
import { invalidField } from './command-problems.ts';

const NAME = /^[a-z][a-z0-9_]{0,63}$/;
/** What a sender would get cut is refused to a person, who can still change it. */
const LOSSES: ReadonlySet<string> = new Set([
  'text-truncated',
  'list-truncated',
  'depth-truncated',
  'fields-truncated',
  'key-dropped',
]);

/** Custom fields of a person, within the limits of those that a mapping makes (product P6, P7). @throws Problem validation-failed */
export function customFieldsOf(given: Record<string, unknown>): Record<string, unknown> {
  const wrong = Object.keys(given).find((name) => !NAME.test(name));
  if (wrong !== undefined)
    throw invalidField(`custom_fields.${wrong}`, 'bad-name', 'must be snake_case of up to 64 characters');
  return fitting(given);
}

/** All of an incident's custom fields, after an edit. @throws Problem validation-failed */
export function fitting(fields: Record<string, unknown>): Record<string, unknown> {
  const notes = new Notes();
  const kept = limitFields(fields, notes);
  if (notes.all().some(({ code }) => LOSSES.has(code)))
    throw invalidField(
      'custom_fields',
      'too-large',
      'may hold texts of 10,000 characters, lists of 100 items, ten levels, and 100 KB in all',
    );
  return kept;
}
