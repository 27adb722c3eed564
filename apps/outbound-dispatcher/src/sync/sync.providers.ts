import type { Provider, Type } from '@nestjs/common';
import {
  CLOCK,
  CONFIGURATION_FEED,
  KEY_RING,
  LOGGER,
  PIPELINE_POOL,
  SHELL_CONFIG,
  type Clock,
  type ConfigurationFeed,
  type KeyRing,
  type Logger,
  type ShellConfig,
} from '@tocsin/nest-shell';
import type { Pipeline } from '@tocsin/postgres';
import type { Pool } from 'pg';
import type { OutboundEnvironment } from '../config.ts';
import { SyncLinkEntriesController } from './sync-link-entries.controller.ts';
import { SYNC, Sync } from './sync.ts';

export const syncControllers: Type[] = [SyncLinkEntriesController];

/** Two-way sync, over the module's own pipeline and settings. */
export const syncProviders = (pipelineToken: symbol, configToken: symbol, version: string): Provider[] => [
  {
    provide: SYNC,
    inject: [...[PIPELINE_POOL, pipelineToken, CONFIGURATION_FEED, KEY_RING, CLOCK, LOGGER, configToken, SHELL_CONFIG]],
    useFactory: (
      ...[pool, pipeline, feed, keyRing, clock, log, config, shell]: [
        ...[Pool, Pipeline, ConfigurationFeed, KeyRing, Clock, Logger, OutboundEnvironment, ShellConfig],
      ]
    ) => new Sync({ pool, pipeline, feed, keyRing, clock, log, config, shell, version }),
  },
];
