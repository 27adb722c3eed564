import { isAtLeast, isWorse, type Severity } from '@tocsin/contracts';

/** Why an investigation is asked for. */
export const rcaCauses = ['incident-opened', 'incident-reopened', 'severity-raised', 'asked-for'] as const;
export type RcaCause = (typeof rcaCauses)[number];

/** Why none is. */
export const rcaRefusals = [
  'not-a-trigger',
  'auto-trigger-off',
  'below-minimum-severity',
  'already-running',
  'already-investigated',
  'incident-cap-reached',
  'workspace-cap-reached',
] as const;
export type RcaRefusal = (typeof rcaRefusals)[number];

/** What happened to the incident, and how it is now. */
export interface RcaOccasion {
  /** `incident.created` and so on; null where the event has no outbound name. */
  outboundName: string | null;
  status: string;
  severity: Severity;
  /** Severity before the event; null for an incident that was not known. */
  severityBefore: Severity | null;
}

/** The webhook's settings (product P14). */
export interface RcaSettings {
  autoTrigger: boolean;
  minSeverity: Severity;
}
export const defaultRcaSettings: RcaSettings = { autoTrigger: true, minSeverity: 'medium' };

/** What was investigated before. */
export interface RcaHistory {
  running: boolean;
  /** Investigations of this incident so far, a running one included. */
  ofIncident: number;
  /** Investigations of the workspace in the last hour. */
  ofWorkspaceLastHour: number;
}

export interface RcaCaps {
  perIncident: number;
  /** 0 = no cap. */
  perWorkspaceHour: number;
}

export type RcaDecision =
  { kind: 'request'; cause: Exclude<RcaCause, 'asked-for'> } | { kind: 'skip'; reason: RcaRefusal };

const skip = (reason: RcaRefusal): RcaDecision => ({ kind: 'skip', reason });

/** Whether an incident event starts an investigation. Source: architecture §11, product P14. */
export function decide(occasion: RcaOccasion, settings: RcaSettings, history: RcaHistory, caps: RcaCaps): RcaDecision {
  const cause = causeOf(occasion);
  if (!cause) return skip('not-a-trigger');
  if (!settings.autoTrigger) return skip('auto-trigger-off');
  if (!isAtLeast(occasion.severity, settings.minSeverity)) return skip('below-minimum-severity');
  if (history.running) return skip('already-running');
  // A higher severity asks again for what was left out; what has been looked into already is not looked into twice.
  if (cause === 'severity-raised' && history.ofIncident > 0) return skip('already-investigated');
  if (history.ofIncident >= caps.perIncident) return skip('incident-cap-reached');
  if (caps.perWorkspaceHour > 0 && history.ofWorkspaceLastHour >= caps.perWorkspaceHour)
    return skip('workspace-cap-reached');
  return { kind: 'request', cause };
}

function causeOf({
  outboundName,
  status,
  severity,
  severityBefore,
}: RcaOccasion): Exclude<RcaCause, 'asked-for'> | undefined {
  if (outboundName === 'incident.created') return 'incident-opened';
  if (outboundName === 'incident.reopened') return 'incident-reopened';
  if (status !== 'resolved' && severityBefore !== null && isWorse(severity, severityBefore)) return 'severity-raised';
  return undefined;
}
