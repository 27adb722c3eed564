import { hash } from 'node:crypto';
import type { NormalizedAlert, ProblemDetail } from '@tocsin/contracts';
import { fieldRef, readField } from '../conditions/index.ts';

/** How a webhook's alerts get their dedup key (product P8). */
export interface KeyRecipe {
  /** `recipe`: always by the recipe, whatever keys mapping and connector have; absent = `auto`, only where there is no such key. */
  key?: 'auto' | 'recipe';
  /** Fields whose values make the key, in this order; absent = `DEFAULT_RECIPE`. */
  recipe?: readonly string[];
}

/** Hex SHA-256 of the UTF-8 text `title + severity + connection id`. */
export const DEFAULT_RECIPE: readonly string[] = ['title', 'severity', 'connection_id'];
const CONNECTION = 'connection_id';
const FIELDS_MAX = 10;
/** Fields that a resolve has otherwise than its trigger, or that change without the alert. */
const NOT_IN_RECIPES: ReadonlySet<string> = new Set(['status', 'kind', 'webhook_id', 'service.neighbours']);

/** What is wrong with a recipe as people type it; `path` counts within the list. */
export function recipeProblems(recipe: readonly string[]): ProblemDetail[] {
  if (recipe.length === 0) return [{ path: '', code: 'empty-recipe', message: 'must name at least one field' }];
  if (recipe.length > FIELDS_MAX)
    return [{ path: '', code: 'too-many-fields', message: `must name at most ${FIELDS_MAX} fields` }];
  return recipe.flatMap((name, index): ProblemDetail[] => {
    const path = `[${index}]`;
    if (recipe.indexOf(name) !== index) return [{ path, code: 'duplicate', message: 'is named twice' }];
    if (name === CONNECTION) return [];
    if (NOT_IN_RECIPES.has(name)) return [{ path, code: 'not-in-recipes', message: `${name} cannot be part of a key` }];
    if (fieldRef(name).root !== null) return [];
    return [{ path, code: 'unknown-field', message: `there is no field ${JSON.stringify(name.slice(0, 200))}` }];
  });
}

type Values = Pick<NormalizedAlert, 'title' | 'severity' | 'webhookId'> & Partial<NormalizedAlert>;

/** The keys of an alert by a recipe: its own, and the one that a resolve matches on, which knows no severity. */
export function recipeKeys(values: Values, recipe: readonly string[] = DEFAULT_RECIPE) {
  if (recipe === DEFAULT_RECIPE) {
    const { title, severity, webhookId } = values;
    return { dedupKey: hash('sha256', title + severity + webhookId), resolveKey: hash('sha256', title + webhookId) };
  }
  const resolving = recipe.filter((name) => name !== 'severity');
  return { dedupKey: keyOf(values, recipe), resolveKey: keyOf(values, resolving) };
}

/** The seeds' plain concatenation. Other recipes name each value, so that none runs into the next. */
const PLAIN: ReadonlySet<string> = new Set([DEFAULT_RECIPE.join(' '), `title ${CONNECTION}`]);

function keyOf(values: Values, recipe: readonly string[]): string {
  const texts = recipe.map((name) => textsOf(values, name));
  if (PLAIN.has(recipe.join(' '))) return hash('sha256', texts.flat().join(''));
  return hash('sha256', JSON.stringify(recipe.map((name, index) => [name, texts[index]?.toSorted()])));
}

function textsOf(values: Values, name: string): readonly string[] {
  if (name === CONNECTION) return [values.webhookId];
  return name === 'title' ? [values.title] : readField(fieldRef(name), values).texts;
}
