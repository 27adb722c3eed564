import { leavesOf, type CompiledCondition, type CompiledLeaf } from './compiled.ts';
import {
  readField,
  tagForms,
  type ConditionSubject,
  type EnvelopeSubject,
  type FieldValue,
  type IncidentSubject,
} from './fields.ts';

/** What a condition is asked about. */
export interface Asked<Subject = ConditionSubject> {
  alert: Subject;
  /** The candidate, where there is one. A constant condition must hold for it as well, unless `appliesTo` is `alert`. */
  incident?: IncidentSubject;
  appliesTo?: 'both' | 'alert';
}

/** … or about an outbound event: then there is no incident to compare with. */
type AnyAsked = Asked<ConditionSubject | EnvelopeSubject>;

/** One condition with what it looked at. */
export interface LeafReport {
  path: string;
  field: string;
  operator: string;
  value: unknown;
  /** Where the looked-at value is from; of a condition that holds for both, the alert. */
  of: 'alert' | 'incident';
  found: readonly string[];
  /** The incident's own value, where it was compared with. */
  incident?: readonly string[];
}

export interface Explanation {
  holds: boolean;
  /** The conditions that decided: all that held, or the first that failed (of an `or`, that of its nearest branch). */
  decided: LeafReport[];
  /** How many of all conditions held: of two that fail, the one with the greater share is the nearer miss. */
  held: number;
  conditions: number;
}

/** Whether a condition holds. Pure, never throws, time linear in the texts that it looks at. */
export function holds(condition: CompiledCondition, asked: AnyAsked): boolean {
  switch (condition.kind) {
    case 'and':
      return condition.items.every((item) => holds(item, asked));
    case 'or':
      return condition.items.some((item) => holds(item, asked));
    case 'leaf':
      return leafFails(condition, asked) === null;
    default:
      return condition satisfies never;
  }
}

/** Whether a condition can hold for the alert with some incident: its constants hold for the alert. */
export function couldHold(condition: CompiledCondition, alert: ConditionSubject): boolean {
  switch (condition.kind) {
    case 'and':
      return condition.items.every((item) => couldHold(item, alert));
    case 'or':
      return condition.items.some((item) => couldHold(item, alert));
    case 'leaf':
      return condition.expected.kind === 'incident' || leafFails(condition, { alert }) === null;
    default:
      return condition satisfies never;
  }
}

/** Whether a condition holds, and what decided. Looks at every leaf, so it is for what people read. */
export function evaluate(condition: CompiledCondition, asked: AnyAsked): Explanation {
  return { ...explain(condition, asked), held: heldOf(condition, asked), conditions: leavesOf(condition) };
}

/** Whether a condition holds, and what decided. */
export function explain(condition: CompiledCondition, asked: AnyAsked): Pick<Explanation, 'holds' | 'decided'> {
  const decided: LeafReport[] = [];
  return { holds: decide(condition, asked, decided), decided };
}

/** Reports the leaves that decide, and no others: most of an explanation's cost is in its reports. Each leaf is asked once. */
function decide(condition: CompiledCondition, asked: AnyAsked, decided: LeafReport[]): boolean {
  if (condition.kind === 'leaf') {
    const failing = leafFails(condition, asked);
    report(condition, asked, failing ?? 'alert', decided);
    return failing === null;
  }
  const { items, kind } = condition;
  if (kind === 'or') {
    const deciding = items.find((item) => holds(item, asked));
    if (!deciding) return decide(nearestOf(items, asked), asked, decided);
    reportHolding(deciding, asked, decided);
    return true;
  }
  for (const item of items) {
    if (item.kind !== 'leaf') {
      if (!holds(item, asked)) return decide(item, asked, decided);
      continue;
    }
    const failing = leafFails(item, asked);
    if (failing === null) continue;
    report(item, asked, failing, decided);
    return false;
  }
  for (const item of items) reportHolding(item, asked, decided);
  return true;
}

/** Reports what decides a condition that is known to hold. */
function reportHolding(condition: CompiledCondition, asked: AnyAsked, decided: LeafReport[]): void {
  if (condition.kind === 'leaf') return report(condition, asked, 'alert', decided);
  if (condition.kind === 'and') return condition.items.forEach((item) => reportHolding(item, asked, decided));
  const deciding = condition.items.find((item) => holds(item, asked));
  if (deciding) reportHolding(deciding, asked, decided);
}

function report(leaf: CompiledLeaf, asked: AnyAsked, of: 'alert' | 'incident', decided: LeafReport[]): void {
  if (decided.length < REPORTS_MAX) decided.push(reportOf(leaf, asked, of));
}

function nearestOf(items: readonly CompiledCondition[], asked: AnyAsked): CompiledCondition {
  const share = (item: CompiledCondition) => heldOf(item, asked) / leavesOf(item);
  return items.reduce((best, item) => (share(item) > share(best) ? item : best));
}

function heldOf(condition: CompiledCondition, asked: AnyAsked): number {
  if (condition.kind === 'leaf') return leafFails(condition, asked) === null ? 1 : 0;
  let held = 0;
  for (const item of condition.items) held += heldOf(item, asked);
  return held;
}

/** The share of conditions that held. */
export const shareOf = ({ held, conditions }: Pick<Explanation, 'held' | 'conditions'>): number => held / conditions;

/** The share of conditions that the alert meets by itself; one that compares with an incident is met for all that is known. */
export const shareOfAlert = (condition: CompiledCondition, alert: ConditionSubject): number =>
  metBy(condition, alert) / leavesOf(condition);

function metBy(condition: CompiledCondition, alert: ConditionSubject): number {
  if (condition.kind === 'leaf') return couldHold(condition, alert) ? 1 : 0;
  let met = 0;
  for (const item of condition.items) met += metBy(item, alert);
  return met;
}

const REPORTS_MAX = 20;

/** Null where the leaf holds; else for whom it does not. */
function leafFails(leaf: CompiledLeaf, asked: AnyAsked): 'alert' | 'incident' | null {
  const { field, expected } = leaf;
  if (expected.kind === 'incident') return relates(leaf, asked) === leaf.negated ? 'alert' : null;
  if (matches(leaf, readField(field, asked.alert)) === leaf.negated) return 'alert';
  if (!asked.incident || asked.appliesTo === 'alert' || !field.ofIncidents) return null;
  return matches(leaf, readField(field, asked.incident)) === leaf.negated ? 'incident' : null;
}

/** The leaf's positive test against a constant: any element of a list will do. */
function matches({ field, operator, expected }: CompiledLeaf, value: FieldValue): boolean {
  if (expected.kind === 'nothing') return value.present;
  if (expected.kind === 'pattern') return formsOf(field.isTags, value.texts).some((text) => expected.matches(text));
  if (expected.kind === 'incident') return false;
  return compares(operator, formsOf(field.isTags, value.texts), expected.texts);
}

const formsOf = (isTags: boolean, texts: readonly string[]): readonly string[] => (isTags ? tagForms(texts) : texts);

function compares(
  operator: CompiledLeaf['operator'],
  texts: readonly string[],
  expected: ReadonlySet<string>,
): boolean {
  switch (operator) {
    case 'contains':
    case 'not_contains':
      return texts.some((text) => anyOf(expected, (part) => text.includes(part)));
    case 'starts_with':
      return texts.some((text) => anyOf(expected, (part) => text.startsWith(part)));
    case 'ends_with':
      return texts.some((text) => anyOf(expected, (part) => text.endsWith(part)));
    default:
      return texts.some((text) => expected.has(text));
  }
}

const anyOf = (parts: ReadonlySet<string>, test: (part: string) => boolean): boolean => {
  for (const part of parts) if (test(part)) return true;
  return false;
};

/**
 * The alert's value against the incident's own. Of tags one side may be bare: `production` fits `env:production`, but
 * `team:production` does not.
 */
function relates({ field, operator, expected }: CompiledLeaf, { alert, incident }: AnyAsked): boolean {
  if (expected.kind !== 'incident' || !incident || !expected.field.ofIncidents) return false;
  const mine = readField(field, alert).texts;
  const its = readField(expected.field, incident).texts;
  if (field.ignoresCase !== expected.field.ignoresCase) return compares(operator, lower(mine), new Set(lower(its)));
  if (!field.isTags && !expected.field.isTags) {
    if (its.length <= FEW && SHARES.has(operator)) return mine.some((text) => its.includes(text));
    return compares(operator, mine, new Set(its));
  }
  return compares(operator, tagForms(mine), new Set(its)) || compares(operator, mine, new Set(tagForms(its)));
}

const SHARES: ReadonlySet<string> = new Set(['equals', 'in', 'intersects']);
/** Up to so many are looked through as they are. */
const FEW = 8;

const lower = (texts: readonly string[]): string[] => texts.map((text) => text.toLowerCase());

/** Texts in explanations are shortened: they are shown, not compared. */
const SHOWN = { texts: 10, length: 200 } as const;
const shown = (texts: readonly string[]): readonly string[] =>
  texts.length <= SHOWN.texts && texts.every(({ length }) => length <= SHOWN.length)
    ? texts
    : texts
        .slice(0, SHOWN.texts)
        .map((text) => (text.length > SHOWN.length ? `${text.slice(0, SHOWN.length)}…` : text));

function reportOf(leaf: CompiledLeaf, { alert, incident }: AnyAsked, of: 'alert' | 'incident'): LeafReport {
  const { path, field, operator, expected, value } = leaf;
  const subject = of === 'incident' && incident ? incident : alert;
  const its = expected.kind === 'incident' && incident ? readField(expected.field, incident).texts : undefined;
  const found = shown(readField(field, subject).texts);
  const typed = Array.isArray(value) ? value.slice(0, SHOWN.texts) : (value ?? null);
  if (!its) return { path, field: field.name, operator, value: typed, of, found };
  return { path, field: field.name, operator, value: typed, of, found, incident: shown(its) };
}
