import type { Provider, Type } from '@nestjs/common';
import {
  CLOCK,
  type Clock,
  KEY_RING,
  type KeyRing,
  RANDOM,
  type Random,
  SHELL_CONFIG,
  type ShellConfig,
} from '@tocsin/nest-shell';
import type { Pipeline } from '@tocsin/postgres';
import type { ConfigurationStore } from '../configuration-store.ts';
import { CONFIGURATION_STORE, CONTROL_PLANE_PIPELINE, MAPPING_PREVIEWS, WEBHOOK_TESTS } from '../tokens.ts';
import { MappingController, WebhookTestController } from './mapping.controllers.ts';
import { MappingPreviews } from './mapping-previews.ts';
import { WebhookTests } from './webhook-tests.ts';

type TestParts = [ConfigurationStore, Pipeline, KeyRing, Clock, Random, ShellConfig];

export const mappingControllers: Type[] = [MappingController, WebhookTestController];

/** Trying mappings and payloads before anything depends on them. */
export const mappingProviders: Provider[] = [
  {
    provide: MAPPING_PREVIEWS,
    inject: [CONFIGURATION_STORE, CLOCK],
    useFactory: (store: ConfigurationStore, clock: Clock) => new MappingPreviews(store, clock),
  },
  {
    provide: WEBHOOK_TESTS,
    inject: [CONFIGURATION_STORE, CONTROL_PLANE_PIPELINE, KEY_RING, CLOCK, RANDOM, SHELL_CONFIG],
    useFactory: (...[store, pipeline, keyRing, clock, random, shell]: TestParts) =>
      new WebhookTests({ store, pipeline, keyRing, clock, random, shell }),
  },
];
