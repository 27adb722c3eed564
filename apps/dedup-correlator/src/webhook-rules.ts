import type {
  MuteDocument,
  NormalizedAlert,
  TopologyDocument,
  WebhookDocument,
  WorkspaceDocument,
} from '@tocsin/contracts';
import {
  compileMute,
  defaultCorrelation,
  surroundingsOf,
  webhookCorrelation,
  withSurroundings,
  type CompiledMute,
  type CorrelationConfig,
  type Surroundings,
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
  private readonly workspaces = new Map<string, Known>();

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
      if (document) known.set(webhookId, withSurroundings(ownOf(document), this.around(document.workspaceId)));
    }
    return ({ webhookId, configRevision }) => {
      const config = known.get(webhookId);
      if (!config) return { config: defaultCorrelation, note: 'config-missing' };
      const behind = configRevision > config.revision && configRevision > reached;
      return { config, note: behind ? 'config-behind' : null };
    };
  }

  /** What the webhook's workspace adds, read anew only when one of its documents has changed. */
  private around(workspaceId: string): Surroundings {
    const workspace = this.feed.workspace(workspaceId);
    const mutes = this.feed.mutes(workspaceId);
    const topology = this.feed.topology(workspaceId);
    const known = this.workspaces.get(workspaceId);
    if (known && known.workspace === workspace && known.mutes === mutes && known.topology === topology)
      return known.surroundings;
    const compiled = mutes.flatMap((document) => once(ofMutes, document, compileMute) ?? []);
    const surroundings = surroundingsOf(workspace, compiled, topology);
    this.workspaces.set(workspaceId, { workspace, mutes, topology, surroundings });
    return surroundings;
  }

  private async waitFor(revision: number): Promise<void> {
    if (revision <= this.givenUpOn || revision <= this.feed.revision()) return;
    if (!(await this.feed.atLeast(revision, this.patienceMs))) this.givenUpOn = revision;
  }
}

interface Known {
  workspace: WorkspaceDocument | undefined;
  mutes: readonly MuteDocument[];
  topology: TopologyDocument | undefined;
  surroundings: Surroundings;
}

/** Compiled once per document, which is once per revision. */
const ofWebhooks = new WeakMap<WebhookDocument, CorrelationConfig>();
const ofMutes = new WeakMap<MuteDocument, CompiledMute | null>();

function once<Key extends object, Value>(cache: WeakMap<Key, Value>, key: Key, make: (key: Key) => Value): Value {
  const known = cache.get(key);
  if (known !== undefined) return known;
  const made = make(key);
  cache.set(key, made);
  return made;
}

const ownOf = (document: WebhookDocument): CorrelationConfig => once(ofWebhooks, document, webhookCorrelation);
