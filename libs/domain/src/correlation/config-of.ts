import type { WebhookDocument, WorkspaceDocument } from '@tocsin/contracts';
import { readCondition, type CompiledCondition } from '../conditions/index.ts';
import type { CorrelationConfig } from './correlate.ts';
import { compileRules, type CompiledRules } from './rules.ts';

/** Defaults (product P8, P10, architecture §9), for a webhook whose document is gone from the history too. */
export const defaultCorrelation: CorrelationConfig = {
  revision: 0,
  dedup: { windowHours: 24, windowFrom: 'last', reopenMinutes: 30 },
  correlation: { enabled: true, windowMinutes: 5 },
};

/** What decides about a webhook's alerts, out of its document. Compiles rules and conditions: do it once per revision. */
export function webhookCorrelation(document: Pick<WebhookDocument, 'revision' | 'body'>): CorrelationConfig {
  const { revision, body } = document;
  const { windowHours, windowFrom, reopenMinutes, ackFromSource } = body.dedup;
  const { enabled, windowMinutes, by } = body.correlation;
  const rules = compileRules(body.correlation.rules, 'webhook');
  return {
    revision,
    dedup: { windowHours, windowFrom, reopenMinutes, ...(ackFromSource === false ? { ackFromSource } : {}) },
    correlation: { enabled, windowMinutes, by },
    openWhen: openWhenOf(body),
    rules: rules ? [rules] : [],
  };
}

/** Rules of a workspace, compiled: they go behind those of each of its webhooks. */
export const workspaceCorrelation = ({ body }: Pick<WorkspaceDocument, 'body'>): CompiledRules | null =>
  compileRules(body.correlationRules, 'workspace');

/** A webhook's configuration with the rules of its workspace behind its own. */
export const withWorkspaceRules = (
  own: CorrelationConfig,
  workspace: Pick<WorkspaceDocument, 'revision'>,
  shared: CompiledRules | null,
): CorrelationConfig =>
  shared
    ? { ...own, revision: Math.max(own.revision, workspace.revision), rules: [...(own.rules ?? []), shared] }
    : own;

/** Saved documents were checked. One that cannot be read all the same opens incidents for every alert: none is lost. */
function openWhenOf({ openWhen }: WebhookDocument['body']): CompiledCondition | null {
  if (!openWhen) return null;
  const read = readCondition(openWhen);
  return read.ok ? read.condition : null;
}
