import type { ConditionDocument, CorrelationRules, ProblemDetail, WebhookBody } from '@tocsin/contracts';
import { readCondition, type ConditionProblem } from '@tocsin/domain/conditions';
import { looksEverywhere } from '@tocsin/domain/correlation';
import { Problem } from '@tocsin/nest-shell';
import { isStorable } from '../storable.ts';
import type { CorrelationRuleInput, CorrelationRulesInput } from './correlation.dto.ts';

/** Something that works, but perhaps not as it was meant. */
export type RuleWarning = ProblemDetail;

const at = (path: string, rest: string): string =>
  rest === '' ? path : rest.startsWith('[') ? path + rest : `${path}.${rest}`;
const below = (path: string, { path: rest, code, message }: ConditionProblem): ProblemDetail => ({
  path: at(path, rest),
  code,
  message,
});

/** A condition as it is stored. @throws Problem validation-failed with the path of each part that is wrong */
export function checkedCondition(
  document: Record<string, unknown>,
  path: string,
  incident: boolean,
): ConditionDocument {
  const problems = problemsOf(document, path, incident);
  if (problems.length > 0) throw refused(problems);
  return document as unknown as ConditionDocument;
}

function problemsOf(document: unknown, path: string, incident: boolean): ProblemDetail[] {
  const read = readCondition(document, { incident });
  if (!read.ok) return read.problems.map((problem) => below(path, problem));
  return isStorable(document)
    ? []
    : [{ path, code: 'unstorable-text', message: 'must not contain U+0000 or half characters' }];
}

function refused(errors: ProblemDetail[]): Problem {
  const [first] = errors;
  return new Problem('validation-failed', `${first?.path}: ${first?.message}`, { errors });
}

/** The rules as they are stored; what is not given has its default. @throws Problem as above, with all problems of all rules */
export function checkedRules(input: CorrelationRulesInput, path: string): CorrelationRules {
  const rules = input.rules ?? [];
  const problems = rules.flatMap(({ conditions }, index) =>
    problemsOf(conditions, `${at(path, `rules[${index}]`).replace(/^\./, '')}.conditions`, true),
  );
  if (problems.length > 0) throw refused(problems);
  return {
    enabled: input.enabled ?? true,
    strategy: input.strategy ?? 'first',
    minMatchWeight: input.min_match_weight ?? 0.5,
    priorityOrder: input.priority_order ?? 'asc',
    candidateMaxAgeHours: input.candidate_max_age_hours ?? 24,
    rules: rules.map(ruleOf),
  };
}

const ruleOf = ({ name, enabled, priority, weight, applies_to, conditions }: CorrelationRuleInput) => ({
  ...{ name, enabled, priority, weight, appliesTo: applies_to },
  conditions: conditions as unknown as ConditionDocument,
});

/** What people should know about stored rules: unknown fields, and rules that can look at the newest incidents only. */
export function warningsOf({ rules, minMatchWeight, strategy }: CorrelationRules): RuleWarning[] {
  return rules.flatMap(({ conditions, appliesTo, weight }, index): RuleWarning[] => {
    const read = readCondition(conditions, { incident: true });
    const path = `rules[${index}]`;
    const warnings = read.warnings.map((warning) => below(`${path}.conditions`, warning));
    if (read.ok && looksEverywhere(read.condition, appliesTo))
      warnings.push({
        path: `${path}.conditions`,
        code: 'looks-at-newest',
        message: 'names no value by which incidents are listed: it looks at the 100 most recently active ones',
      });
    if (strategy === 'first' && weight < minMatchWeight)
      warnings.push({ path: `${path}.weight`, code: 'never-enough', message: 'is below min_match_weight' });
    return warnings;
  });
}

export const rulesView = (rules: CorrelationRules) => ({
  enabled: rules.enabled,
  strategy: rules.strategy,
  min_match_weight: rules.minMatchWeight,
  priority_order: rules.priorityOrder,
  candidate_max_age_hours: rules.candidateMaxAgeHours,
  rules: rules.rules.map(({ appliesTo, ...rule }) => ({ ...rule, applies_to: appliesTo })),
});

/** What people should know about the conditions of a webhook, in the answer that saved them, too. */
export function webhookWarnings({
  correlation,
  openWhen,
}: Pick<WebhookBody, 'correlation' | 'openWhen'>): RuleWarning[] {
  const rules = correlation.rules ? warningsOf(correlation.rules) : [];
  const opening = openWhen ? readCondition(openWhen).warnings : [];
  return [
    ...rules.map((warning) => ({ ...warning, path: `correlation.rules.${warning.path}` })),
    ...opening.map((warning) => below('open_when', warning)),
  ];
}
