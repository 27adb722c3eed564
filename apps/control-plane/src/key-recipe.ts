import type { WebhookBody } from '@tocsin/contracts';
import { DEFAULT_RECIPE, recipeProblems } from '@tocsin/domain/alert';
import { Problem } from '@tocsin/nest-shell';
import type { DedupInput } from './webhook.dto.ts';

type Keys = Pick<WebhookBody['dedup'], 'key' | 'recipe'>;

/** How a webhook's keys are made: what is given over what was before. @throws Problem naming the field that cannot be part of a key */
export function keysAfter(before: Keys, given: Pick<DedupInput, 'key' | 'recipe'> = {}): Keys {
  const [problem, ...more] = recipeProblems(given.recipe ?? DEFAULT_RECIPE).map(({ path, ...said }) => ({
    path: `dedup.recipe${path}`,
    ...said,
  }));
  if (problem)
    throw new Problem('validation-failed', `${problem.path}: ${problem.message}`, { errors: [problem, ...more] });
  const key = given.key ?? before.key;
  const recipe = given.recipe ?? before.recipe;
  return { ...(key && { key }), ...(recipe && { recipe }) };
}

export const keysView = ({ key = 'auto', recipe = [...DEFAULT_RECIPE] }: Keys) => ({ key, recipe });
