import type {
  ApiKeyDocument,
  ConfigurationDocument,
  MuteDocument,
  SubscriptionDocument,
  SyncLinkDocument,
  TopologyDocument,
  WebhookDocument,
  WorkspaceDocument,
} from '@tocsin/contracts';

/** The configuration as one service sees it: loaded at boot, followed while it runs (architecture §13). */
export interface ConfigurationFeed {
  /** Newest revision that has been applied; 0 before the first. */
  revision(): number;
  /** Until the first load nothing is known, and "unknown" must not be answered. */
  loaded(): boolean;
  webhook(id: string): WebhookDocument | undefined;
  webhookByTokenHmac(hmac: string): WebhookDocument | undefined;
  /** The document as it was at exactly that revision; older revisions are read lazily. Undefined when there is none. */
  webhookAt(id: string, revision: number): Promise<WebhookDocument | undefined>;
  subscriptions(workspaceId: string): SubscriptionDocument[];
  allSubscriptions(): SubscriptionDocument[];
  apiKey(id: string): ApiKeyDocument | undefined;
  workspace(id: string): WorkspaceDocument | undefined;
  /** Silences and maintenance windows of a workspace, those that are over too; the same list until one changes. */
  mutes(workspaceId: string): readonly MuteDocument[];
  topology(workspaceId: string): TopologyDocument | undefined;
  /** Of a workspace, or of all. */
  syncLinks(workspaceId?: string): readonly SyncLinkDocument[];
  /** Resolves true as soon as `revision()` ≥ the given one, false when that did not come in time. */
  atLeast(revision: number, withinMs: number): Promise<boolean>;
  /** Resolves after a read that began later than the call; there are at most a few a second, whoever asks. Never throws. */
  refresh(): Promise<void>;
  onChange(listener: (documents: readonly ConfigurationDocument[]) => void): () => void;
}

/** The webhook's token and those rotated away from: until when an old one is answered is the gateway's to check. */
const tokensOf = ({ body }: WebhookDocument): string[] => [
  ...(body.previousTokens ?? []).map(({ tokenHmac }) => tokenHmac),
  body.tokenHmac,
];

/** Documents by kind, with the indexes that hot paths need. */
export class ConfigurationView {
  revision = 0;
  feedId: string | undefined;
  private readonly byKind: Record<ConfigurationDocument['kind'], Map<string, ConfigurationDocument>> = {
    webhook: new Map(),
    subscription: new Map(),
    'api-key': new Map(),
    workspace: new Map(),
    silence: new Map(),
    'maintenance-window': new Map(),
    topology: new Map(),
    'sync-link': new Map(),
  };
  private readonly webhooksByToken = new Map<string, WebhookDocument>();
  private readonly subscriptionsByWorkspace = new Map<string, SubscriptionDocument[]>();
  private readonly mutesByWorkspace = new Map<string, MuteDocument[]>();
  private readonly topologies = new Map<string, TopologyDocument>();

  /** Applies documents in revision order; a deleted one leaves the view. */
  apply(documents: readonly ConfigurationDocument[]): void {
    for (const document of documents) {
      this.revision = Math.max(this.revision, document.revision);
      if (!Object.hasOwn(this.byKind, document.kind)) continue; // a kind of a newer version: not for us
      const before = this.byKind[document.kind].get(document.id);
      if (before?.kind === 'webhook') for (const hmac of tokensOf(before)) this.webhooksByToken.delete(hmac);
      if (document.deleted) this.byKind[document.kind].delete(document.id);
      else this.byKind[document.kind].set(document.id, document);
      if (document.kind === 'webhook' && !document.deleted)
        for (const hmac of tokensOf(document)) this.webhooksByToken.set(hmac, document);
      if (document.kind === 'subscription') this.subscriptionsByWorkspace.delete(document.workspaceId);
      if (document.kind === 'silence' || document.kind === 'maintenance-window')
        this.mutesByWorkspace.delete(document.workspaceId);
      if (document.kind === 'topology') this.setTopology(document);
    }
  }

  webhook = (id: string) => this.byKind.webhook.get(id) as WebhookDocument | undefined;
  webhookByTokenHmac = (hmac: string) => this.webhooksByToken.get(hmac);
  apiKey = (id: string) => this.byKind['api-key'].get(id) as ApiKeyDocument | undefined;
  workspace = (id: string) => this.byKind.workspace.get(id) as WorkspaceDocument | undefined;
  allSubscriptions = () => [...this.byKind.subscription.values()] as SubscriptionDocument[];
  all = (): ConfigurationDocument[] => Object.values(this.byKind).flatMap((documents) => [...documents.values()]);

  topology = (workspaceId: string) => this.topologies.get(workspaceId);

  /** Links are few: no index. */
  syncLinks = (workspaceId?: string): readonly SyncLinkDocument[] =>
    ([...this.byKind['sync-link'].values()] as SyncLinkDocument[]).filter(
      (link) => workspaceId === undefined || link.workspaceId === workspaceId,
    );

  mutes(workspaceId: string): readonly MuteDocument[] {
    let found = this.mutesByWorkspace.get(workspaceId);
    if (!found) {
      const all = [...this.byKind.silence.values(), ...this.byKind['maintenance-window'].values()] as MuteDocument[];
      found = all.filter((mute) => mute.workspaceId === workspaceId);
      this.mutesByWorkspace.set(workspaceId, found);
    }
    return found;
  }

  private setTopology(document: TopologyDocument): void {
    if (document.deleted) this.topologies.delete(document.workspaceId);
    else this.topologies.set(document.workspaceId, document);
  }

  subscriptions(workspaceId: string): SubscriptionDocument[] {
    let found = this.subscriptionsByWorkspace.get(workspaceId);
    if (!found) {
      found = this.allSubscriptions().filter((subscription) => subscription.workspaceId === workspaceId);
      this.subscriptionsByWorkspace.set(workspaceId, found);
    }
    return found;
  }
}
