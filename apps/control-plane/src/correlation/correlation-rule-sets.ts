import type { CorrelationRules } from '@tocsin/contracts';
import type { ConfigurationStore } from '../configuration-store.ts';
import { WebhookRow, WorkspaceRow } from '../entities.ts';
import { invalidField } from '../fields.ts';
import type { PutCorrelationRules } from './correlation.dto.ts';
import { checkedRules, rulesView, warningsOf } from './read-rules.ts';

/** Reads and replaces rule documents. A document is replaced as a whole: what it does not say has its default. */
export class CorrelationRuleSets {
  constructor(private readonly store: ConfigurationStore) {}

  ofWebhook = (workspaceId: string, id: string) =>
    this.store.inWorkspace(workspaceId, async (tx) => webhookView(await tx.find(WebhookRow, id)));

  replaceOfWebhook(workspaceId: string, id: string, input: PutCorrelationRules, revision?: number) {
    const rules = rulesOf(input);
    return this.store.inWorkspace(workspaceId, async (tx) => {
      const row = await tx.lock(WebhookRow, id, revision);
      row.correlation = { ...row.correlation, enabled: input.enable_correlation ?? row.correlation.enabled, rules };
      return webhookView(await tx.save(row));
    });
  }

  ofWorkspace = (workspaceId: string, id: string) =>
    this.store.inWorkspace(workspaceId, async (tx) => workspaceView(await tx.find(WorkspaceRow, id)));

  replaceOfWorkspace(workspaceId: string, id: string, input: PutCorrelationRules, revision?: number) {
    if (input.enable_correlation !== undefined)
      throw invalidField('enable_correlation', 'not-applicable', 'belongs to a webhook; use enabled for these rules');
    const rules = rulesOf(input);
    return this.store.inWorkspace(workspaceId, async (tx) => {
      const row = await tx.lock(WorkspaceRow, id, revision);
      row.correlationRules = rules;
      return workspaceView(await tx.save(row));
    });
  }
}

/** The rules that a document says, in either form; null = none. @throws Problem where both forms are mixed, or a condition is wrong */
export function rulesOf({
  enable_correlation: _switch,
  correlation_rules: wrapped,
  ...bare
}: PutCorrelationRules): CorrelationRules | null {
  const [given] = Object.entries(bare).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (wrapped === undefined) return given === undefined ? null : checkedRules(bare, '');
  if (given !== undefined)
    throw invalidField(given, 'not-applicable', 'belongs inside correlation_rules where that is given');
  return wrapped && checkedRules(wrapped, 'correlation_rules');
}

const shown = (rules: CorrelationRules | null) => ({
  correlation_rules: rules && rulesView(rules),
  warnings: rules ? warningsOf(rules) : [],
});

const webhookView = ({ id, revision, correlation }: WebhookRow) => ({
  id,
  revision,
  enable_correlation: correlation.enabled,
  ...shown(correlation.rules ?? null),
});

const workspaceView = ({ id, revision, correlationRules }: WorkspaceRow) => ({
  id,
  revision,
  ...shown(correlationRules),
});
