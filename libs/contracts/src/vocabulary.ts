import Type from 'typebox';

/** Severity levels, worst first. Source: product P5. */
export const severities = ['critical', 'high', 'medium', 'low', 'info'] as const;
export type Severity = (typeof severities)[number];

/** What an alert says about its condition. */
export const alertStatuses = ['triggered', 'acknowledged', 'resolved', 'update'] as const;
export type AlertStatus = (typeof alertStatuses)[number];

export const incidentStatuses = ['open', 'acknowledged', 'snoozed', 'suppressed', 'resolved'] as const;
export type IncidentStatus = (typeof incidentStatuses)[number];

export const alertKinds = ['alert', 'incident', 'build', 'deployment'] as const;
export type AlertKind = (typeof alertKinds)[number];

/** The one closed list of outcomes for answers, receipts, "why", ledger and metrics. Source: settled, Vocabulary. */
export const outcomes = [
  'created',
  'deduplicated',
  'repeated',
  'correlated',
  'rolled-up',
  'reopened',
  'updated',
  'acknowledged',
  'resolved',
  'suppressed',
  'recorded',
  'captured',
  'ignored',
  'dead-lettered',
] as const;
export type Outcome = (typeof outcomes)[number];

export const urgencies = ['HIGH', 'LOW'] as const;
export type Urgency = (typeof urgencies)[number];

/** critical and high page somebody; everything else can wait. Source: product P11. */
export const urgencyOf = (severity: Severity): Urgency =>
  severity === 'critical' || severity === 'high' ? 'HIGH' : 'LOW';

const rank = new Map(severities.map((severity, index) => [severity, index]));
/** True when `a` is worse than `b`. */
export const isWorse = (a: Severity, b: Severity): boolean => (rank.get(a) ?? 0) < (rank.get(b) ?? 0);
/** True when `a` is `minimum` or worse. */
export const isAtLeast = (a: Severity, minimum: Severity): boolean => !isWorse(minimum, a);

export const SeveritySchema = Type.Enum([...severities]);
export const AlertStatusSchema = Type.Enum([...alertStatuses]);
export const IncidentStatusSchema = Type.Enum([...incidentStatuses]);
export const OutcomeSchema = Type.Enum([...outcomes]);
export const AlertKindSchema = Type.Enum([...alertKinds]);
