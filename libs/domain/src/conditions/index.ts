export { allLeaves, type CompiledCondition, type CompiledLeaf } from './compiled.ts';
export {
  couldHold,
  evaluate,
  explain,
  holds,
  shareOf,
  shareOfAlert,
  type Asked,
  type Explanation,
  type LeafReport,
} from './evaluate.ts';
export {
  bareTag,
  envelopeField,
  fieldRef,
  tagForms,
  type ConditionSubject,
  type EnvelopeSubject,
  type FieldRef,
  type IncidentSubject,
  readField,
} from './fields.ts';
export { PATTERN_MAX } from './pattern.ts';
export { conditionProblems, conditionWarnings, type ConditionProblem, type ConditionProblemCode } from './problems.ts';
export { CONDITION_LIMITS, readCondition, type ReadCondition, type ReadOptions } from './read-condition.ts';
