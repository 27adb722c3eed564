import { Module, type DynamicModule } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { HealthController } from '../health/health.controller.ts';
import { ProblemFilter } from '../http/problem.filter.ts';
import { ApiKeyGuard } from '../access/api-key.guard.ts';
import * as tokens from '../tokens.ts';
import type { Platform } from './platform.ts';

/** Gives every service module the parts that its process shares. */
@Module({})
export class ShellModule {
  static of(platform: Platform): DynamicModule {
    const value = (provide: symbol, useValue: unknown) => ({ provide, useValue });
    const shared = [
      value(tokens.EVENT_LOG, platform.eventLog),
      value(tokens.PIPELINE_POOL, platform.pools.pipeline),
      value(tokens.REST_POOL, platform.pools.rest),
      value(tokens.CONFIGURATION_FEED, platform.feed),
      value(tokens.KEY_RING, platform.keyRing),
      value(tokens.CLOCK, platform.clock),
      value(tokens.RANDOM, platform.random),
      value(tokens.LOGGER, platform.log),
      value(tokens.ASSIGNMENTS, platform.assignments),
      value(tokens.SHELL_CONFIG, platform.config),
      value(tokens.ENVIRONMENT, platform.environment),
      value(tokens.HEALTH, platform.health),
    ];
    return {
      module: ShellModule,
      global: true,
      imports: [
        // The environment is handed in, so that tests and all-in-one decide what a service sees.
        ConfigModule.forRoot({
          isGlobal: true,
          cache: true,
          ignoreEnvFile: true,
          ignoreEnvVars: true,
          validatePredefined: false,
          load: [() => ({ ...platform.environment })],
        }),
      ],
      controllers: [HealthController],
      providers: [...shared, ProblemFilter, ApiKeyGuard],
      exports: [...shared.map(({ provide }) => provide), ApiKeyGuard],
    };
  }
}
