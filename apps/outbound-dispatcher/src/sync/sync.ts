import type { Stage } from '@tocsin/postgres';
import { createSender, egressOptions, type SenderOptions } from '@tocsin/egress';
import { allowListOf } from '@tocsin/domain/delivery';
import type { Clock, ConfigurationFeed, KeyRing, Logger, ShellConfig } from '@tocsin/nest-shell';
import type { Pipeline } from '@tocsin/postgres';
import type { Pool } from 'pg';
import type { OutboundEnvironment } from '../config.ts';
import { alsoPlanningSync } from './plan-sync-batch.ts';
import { syncSystemsOf, type SyncSystemsParts } from './sync-systems.ts';
import { SYNC_TIMING, SyncWorker, type SyncTiming } from './sync-worker.ts';

export const SYNC = Symbol('SYNC');

export interface SyncParts {
  pool: Pool;
  pipeline: Pipeline;
  feed: ConfigurationFeed;
  keyRing: KeyRing;
  clock: Clock;
  log: Logger;
  config: OutboundEnvironment;
  shell: ShellConfig;
  version: string;
  timing?: Partial<SyncTiming>;
  resolve?: SenderOptions['resolve'];
}

/** Planning and work of two-way sync in one process, wired together. Nest calls its hooks. */
export class Sync {
  private readonly sender;
  private readonly worker: SyncWorker;
  private readonly forget: () => void;
  readonly systemOf: ReturnType<typeof syncSystemsOf>;

  constructor(private readonly parts: SyncParts) {
    const { config, shell, resolve, version } = parts;
    this.sender = createSender({ ...egressOptions(config, shell.development), ...(resolve ? { resolve } : {}) });
    const systems: SyncSystemsParts = {
      ...{ feed: parts.feed, keyRing: parts.keyRing, sender: this.sender, clock: parts.clock },
      ...{ allow: allowListOf(config.OUTBOUND_ALLOW, shell.development), userAgent: `Tocsin/${version}` },
    };
    this.systemOf = syncSystemsOf(systems);
    this.worker = new SyncWorker({
      ...{ pool: parts.pool, pipeline: parts.pipeline, feed: parts.feed, clock: parts.clock, log: parts.log },
      ...{ systemOf: this.systemOf, timing: { ...SYNC_TIMING, ...parts.timing } },
    });
    this.forget = parts.feed.onChange((documents) => {
      if (documents.some(({ kind }) => kind === 'sync-link')) this.worker.wake();
    });
  }

  /** A stage that also plans what links tell their systems. */
  alsoPlanning<Loaded>(stage: Stage<Loaded>): Stage<Loaded> {
    const { feed, clock } = this.parts;
    return alsoPlanningSync(stage, { feed, clock, wake: () => this.worker.wake() });
  }

  onApplicationBootstrap(): void {
    this.worker.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.forget();
    const giveUp = setTimeout(() => this.sender.abort(), this.parts.config.OUTBOUND_SHUTDOWN_SECONDS * 1000);
    await this.worker.stop();
    clearTimeout(giveUp);
    await this.sender.close();
  }
}
