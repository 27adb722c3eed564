import type { ConfigurationDocument, WebhookDocument } from '@tocsin/contracts';
import { ConfigurationView, type ConfigurationFeed } from './feed.ts';

/** A feed over documents given by hand, for offline tools and tests: same view and same rules, no database behind it. */
export class StaticConfigurationFeed implements ConfigurationFeed {
  private readonly view = new ConfigurationView();
  private readonly history: ConfigurationDocument[] = [];
  private readonly listeners = new Set<(documents: readonly ConfigurationDocument[]) => void>();

  constructor(
    documents: readonly ConfigurationDocument[] = [],
    private readonly isLoaded = true,
  ) {
    this.publish(documents);
  }

  /** Applies further documents, in revision order. */
  publish(documents: readonly ConfigurationDocument[]): void {
    this.history.push(...documents);
    this.view.apply(documents);
    for (const listener of this.listeners) listener(documents);
  }

  revision = () => this.view.revision;
  loaded = () => this.isLoaded;
  webhook = (id: string) => this.view.webhook(id);
  webhookByTokenHmac = (hmac: string) => this.view.webhookByTokenHmac(hmac);
  subscriptions = (workspaceId: string) => this.view.subscriptions(workspaceId);
  allSubscriptions = () => this.view.allSubscriptions();
  apiKey = (id: string) => this.view.apiKey(id);
  workspace = (id: string) => this.view.workspace(id);
  mutes = (workspaceId: string) => this.view.mutes(workspaceId);
  topology = (workspaceId: string) => this.view.topology(workspaceId);
  syncLinks = (workspaceId?: string) => this.view.syncLinks(workspaceId);
  refresh = async () => undefined;
  close = async () => undefined;

  async webhookAt(id: string, revision: number): Promise<WebhookDocument | undefined> {
    return this.history.find(
      (d): d is WebhookDocument => d.kind === 'webhook' && d.id === id && d.revision === revision,
    );
  }

  async atLeast(revision: number, withinMs: number): Promise<boolean> {
    if (this.view.revision >= revision) return true;
    return new Promise((resolve) => {
      const done = (result: boolean) => {
        clearTimeout(timeout);
        stop();
        resolve(result);
      };
      const timeout = setTimeout(() => done(false), withinMs);
      const stop = this.onChange(() => this.view.revision >= revision && done(true));
    });
  }

  onChange(listener: (documents: readonly ConfigurationDocument[]) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
