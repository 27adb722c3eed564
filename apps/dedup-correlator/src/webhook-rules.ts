import type { NormalizedAlert, WebhookDocument, WorkspaceDocument } from '@tocsin/contracts';
import {
  defaultCorrelation,
  webhookCorrelation,
  withWorkspaceRules,
  workspaceCorrelation,
  type CompiledRules,
  type CorrelationConfig,
} from '@tocsin/domain/correlation';
import type { ConfigurationFeed } from '@tocsin/nest-shell';

/** How long a batch waits for a revision that its alerts name (architecture §13). */
const PATIENCE_MS = 10_000;

/** The rules that decide about one alert, and what people should know about where they come from. */
export interface AppliedRules {
  config: CorrelationConfig;
  note: 'config-behind' | 'config-missing' | null;
}
export type RulesOf = (alert: Pick<NormalizedAlert, 'webhookId' | 'configRevision'>) => AppliedRules;

/** The rules of webhooks: those of the revision that an alert was received under, or newer ones. */
export class WebhookRules {
  /** The newest revision that did not come in time: it is not waited for again and again. */
  private givenUpOn = 0;

  constructor(
    private readonly feed: ConfigurationFeed,
    private readonly patienceMs = PATIENCE_MS,
  ) {}

  /** Waits for the newest revision among the alerts, then reads each webhook's rules once for the whole batch. */
  async of(alerts: readonly Pick<NormalizedAlert, 'webhookId' | 'configRevision'>[]): Promise<RulesOf> {
    const newest = new Map<string, number>();
    for (const { webhookId, configRevision } of alerts)
      newest.set(webhookId, Math.max(configRevision, newest.get(webhookId) ?? 0));
    await this.waitFor(Math.max(0, ...newest.values()));
    const reached = this.feed.revision();
    const known = new Map<string, CorrelationConfig>();
    for (const [webhookId, revision] of newest) {
      const document = this.feed.webhook(webhookId) ?? (await this.feed.webhookAt(webhookId, revision));
      if (document) known.set(webhookId, configOf(document, this.feed.workspace(document.workspaceId)));
    }
    return ({ webhookId, configRevision }) => {
      const config = known.get(webhookId);
      if (!config) return { config: defaultCorrelation, note: 'config-missing' };
      const behind = configRevision > config.revision && configRevision > reached;
      return { config, note: behind ? 'config-behind' : null };
    };
  }

  private async waitFor(revision: number): Promise<void> {
    if (revision <= this.givenUpOn || revision <= this.feed.revision()) return;
    if (!(await this.feed.atLeast(revision, this.patienceMs))) this.givenUpOn = revision;
  }
}

/** Compiled once per document, which is once per revision. */
const ofWebhooks = new WeakMap<WebhookDocument, CorrelationConfig>();
const ofWorkspaces = new WeakMap<WorkspaceDocument, CompiledRules | null>();

function once<Key extends object, Value>(cache: WeakMap<Key, Value>, key: Key, make: (key: Key) => Value): Value {
  const known = cache.get(key);
  if (known !== undefined) return known;
  const made = make(key);
  cache.set(key, made);
  return made;
}

/** The webhook's configuration, and the rules of its workspace behind its own. */
function configOf(document: WebhookDocument, workspace: WorkspaceDocument | undefined): CorrelationConfig {
  const own = once(ofWebhooks, document, webhookCorrelation);
  return workspace ? withWorkspaceRules(own, workspace, once(ofWorkspaces, workspace, workspaceCorrelation)) : own;
}
