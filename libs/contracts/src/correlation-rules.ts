import type { ConditionDocument } from './configuration.ts';

/**
 * What an alert and an incident must share within the time window (product P10). `group`: Alertmanager's group key; `topology`: services
 * that are at most two dependencies apart, `topology:1` = one.
 */
export type CorrelationBasis = 'service' | 'any' | 'group' | 'topology' | 'topology:1' | `tag:${string}`;

/** One rule: which alerts join which open incidents, beside the time window. */
export interface CorrelationRule {
  name: string;
  enabled: boolean;
  /** 0–1000, 0 first. */
  priority: number;
  /** 0–1; a match counts from `minMatchWeight` on. */
  weight: number;
  /** Whether constant conditions must hold for the incident, too. */
  appliesTo: 'both' | 'alert';
  conditions: ConditionDocument;
}

/** The rules of a webhook, or of a workspace for all its webhooks. */
export interface CorrelationRules {
  enabled: boolean;
  /** `first`: the first rule with enough weight wins; `sum`: the incident with the greatest sum of weights. */
  strategy: 'first' | 'sum';
  minMatchWeight: number;
  priorityOrder: 'asc' | 'desc';
  /** Incidents without an alert for longer are no candidates; 0 = any age. */
  candidateMaxAgeHours: number;
  rules: CorrelationRule[];
}
