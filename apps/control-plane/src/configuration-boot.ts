import type { OnApplicationShutdown, OnModuleInit } from '@nestjs/common';
import type { Logger } from '@tocsin/nest-shell';
import type { ControlPlaneEnvironment } from './config.ts';
import type { ConfigurationStore } from './configuration-store.ts';
import { bootstrapApiKey, newFeedId, type SeedTools } from './seed.ts';

/** Before the first request: the feed has its id, and the installation its first key. */
export class ConfigurationBoot implements OnModuleInit, OnApplicationShutdown {
  constructor(
    /** Over the pipeline pool. */
    private readonly tools: SeedTools,
    private readonly config: ControlPlaneEnvironment,
    private readonly log: Logger,
    /** Over the REST pool; closed with the application. */
    private readonly restStore: ConfigurationStore,
  ) {}

  async onModuleInit(): Promise<void> {
    const { feedId, renewed } = await this.tools.store.claimFeed(newFeedId(this.tools));
    if (renewed) this.log.warn({ feedId }, 'configuration-feed.renewed');
    if (this.config.TOCSIN_BOOTSTRAP_API_KEY === '') return;
    const { workspaceId, created } = await bootstrapApiKey(this.tools, this.config.TOCSIN_BOOTSTRAP_API_KEY);
    if (created) this.log.info({ workspaceId }, 'api-key.bootstrapped');
  }

  async onApplicationShutdown(): Promise<void> {
    await this.tools.store.close();
    await this.restStore.close();
  }
}
