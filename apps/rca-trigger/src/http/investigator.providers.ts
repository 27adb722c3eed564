import type { Provider, Type } from '@nestjs/common';
import { allowListOf } from '@tocsin/domain/delivery';
import { createSender, egressOptions, type Sender } from '@tocsin/egress';
import {
  CLOCK,
  type Clock,
  CONFIGURATION_FEED,
  type ConfigurationFeed,
  KEY_RING,
  type KeyRing,
  LOGGER,
  type Logger,
  SHELL_CONFIG,
  type ShellConfig,
} from '@tocsin/nest-shell';
import type { Pipeline } from '@tocsin/postgres';
import type { RcaEnvironment } from '../config.ts';
import { ASK_INVESTIGATORS, INVESTIGATOR_CALLS, INVESTIGATOR_SENDER, RCA_CONFIG, RCA_PIPELINE } from '../tokens.ts';
import { AskInvestigators } from './ask-investigators.ts';
import { InvestigatorCallsController } from './investigator-calls.controller.ts';
import { InvestigatorCalls } from './investigator-calls.ts';

/** Sent as `User-Agent: Tocsin/<version>`. */
const VERSION = '0.1.0';

export const investigatorControllers: Type[] = [InvestigatorCallsController];

type AskArguments = [
  ...[Pipeline, InvestigatorCalls, ConfigurationFeed, KeyRing, Sender, Clock, Logger],
  ...[RcaEnvironment, ShellConfig],
];

/** Investigators of workspaces, over HTTP. */
export const investigatorProviders: Provider[] = [
  {
    provide: INVESTIGATOR_SENDER,
    inject: [RCA_CONFIG, SHELL_CONFIG],
    useFactory: (config: RcaEnvironment, shell: ShellConfig) => createSender(egressOptions(config, shell.development)),
  },
  {
    provide: INVESTIGATOR_CALLS,
    inject: [RCA_PIPELINE, CONFIGURATION_FEED, CLOCK, SHELL_CONFIG],
    useFactory: (pipeline: Pipeline, feed: ConfigurationFeed, clock: Clock, shell: ShellConfig) =>
      new InvestigatorCalls({ pipeline, feed, clock, publicUrl: () => shell.publicUrl }),
  },
  {
    provide: ASK_INVESTIGATORS,
    inject: [
      ...[RCA_PIPELINE, INVESTIGATOR_CALLS, CONFIGURATION_FEED, KEY_RING, INVESTIGATOR_SENDER, CLOCK, LOGGER],
      ...[RCA_CONFIG, SHELL_CONFIG],
    ],
    useFactory: (...[pipeline, calls, feed, keyRing, sender, clock, log, config, shell]: AskArguments) =>
      new AskInvestigators({
        ...{ pipeline, calls, feed, keyRing, sender, clock, log },
        allow: allowListOf(config.OUTBOUND_ALLOW, shell.development),
        publicUrl: () => shell.publicUrl,
        userAgent: `Tocsin/${VERSION}`,
      }),
  },
];
