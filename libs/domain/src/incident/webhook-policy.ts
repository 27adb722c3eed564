import type { WebhookDocument } from '@tocsin/contracts';
import { defaultPolicy, type AlertPolicy } from './policy.ts';

/** What a webhook's document says of its alerts' incidents. `revision`: that of the alert, the document may be newer. */
export function policyOfWebhook(webhook: Pick<WebhookDocument, 'revision' | 'body'>, revision: number): AlertPolicy {
  const { windowHours, windowFrom, reopenMinutes, resolvePolicy, severityPolicy } = webhook.body.dedup;
  return {
    ...defaultPolicy,
    windowHours,
    windowFrom,
    reopenMinutes,
    resolvePolicy,
    severityPolicy: severityPolicy ?? defaultPolicy.severityPolicy,
    autoResolveMinutes: webhook.body.autoResolveAfterMinutes ?? null,
    webhookName: webhook.body.name,
    configRevision: Math.max(revision, webhook.revision),
  };
}
