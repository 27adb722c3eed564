import type { WebhookBody } from '@tocsin/contracts';
import type { DedupInput } from './webhook.dto.ts';

type Rules = Pick<WebhookBody['dedup'], 'severityPolicy' | 'ackFromSource'>;

/** What further alerts of a webhook do to their incident: what is given over what was before. */
export function incidentRulesAfter(before: Rules, given: DedupInput = {}): Rules {
  const severityPolicy = given.severity_policy ?? before.severityPolicy;
  const ackFromSource = given.ack_from_source ?? before.ackFromSource;
  return {
    ...(severityPolicy === undefined ? {} : { severityPolicy }),
    ...(ackFromSource === undefined ? {} : { ackFromSource }),
  };
}

export const incidentRulesView = ({ severityPolicy = 'highest', ackFromSource = true }: Rules) => ({
  severity_policy: severityPolicy,
  ack_from_source: ackFromSource,
});
