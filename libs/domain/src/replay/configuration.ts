import type { MuteDocument, TopologyDocument, WebhookDocument, WorkspaceDocument } from '@tocsin/contracts';
import {
  compileMute,
  defaultCorrelation,
  surroundingsOf,
  webhookCorrelation,
  withSurroundings,
} from '../correlation/index.ts';
import { defaultPolicy, policyOfWebhook } from '../incident/index.ts';
import type { ConfigurationOf, ReplayConfiguration } from './simulation.ts';

type Webhook = Pick<WebhookDocument, 'id' | 'revision' | 'body'>;

/** The documents of a workspace by which its alerts are decided about. */
export interface WorkspaceDocuments {
  webhooks: readonly Webhook[];
  workspace?: Pick<WorkspaceDocument, 'revision' | 'body'> | undefined;
  mutes?: readonly MuteDocument[];
  topology?: Pick<TopologyDocument, 'revision' | 'body'> | undefined;
}

/** What a replay goes by, out of documents as the feed has them. Webhooks that are not among them have the defaults of new ones. */
export function configurationOf({ webhooks, workspace, mutes = [], topology }: WorkspaceDocuments): ConfigurationOf {
  const surroundings = surroundingsOf(
    workspace,
    mutes.flatMap((mute) => compileMute(mute) ?? []),
    topology,
  );
  const known = new Map<string, ReplayConfiguration>(
    webhooks.map((webhook) => [
      webhook.id,
      {
        correlation: withSurroundings(webhookCorrelation(webhook), surroundings),
        policy: policyOfWebhook(webhook, webhook.revision),
      },
    ]),
  );
  const gone: ReplayConfiguration = {
    correlation: withSurroundings(defaultCorrelation, surroundings),
    policy: { ...defaultPolicy, configRevision: 0 },
  };
  return (webhookId) => known.get(webhookId) ?? gone;
}
