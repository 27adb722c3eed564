import type { ProblemDetail } from '@tocsin/contracts';

/** What can be wrong with a condition document. `unknown-field` and `never-holds` are warnings: such a leaf just has no value. */
export const conditionProblems = [
  'not-a-condition',
  'unknown-key',
  'unknown-operator',
  'empty-group',
  'too-many-items',
  'too-many-conditions',
  'too-deep',
  'bad-field',
  'value-missing',
  'value-not-allowed',
  'value-type',
  'value-too-long',
  'too-many-values',
  'no-incident-here',
  'bad-regex',
] as const;
export const conditionWarnings = ['unknown-field', 'never-holds'] as const;
export type ConditionProblemCode = (typeof conditionProblems)[number] | (typeof conditionWarnings)[number];

export interface ConditionProblem extends ProblemDetail {
  code: ConditionProblemCode;
}
