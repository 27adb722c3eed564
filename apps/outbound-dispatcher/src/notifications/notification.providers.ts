import type { Provider } from '@nestjs/common';
import {
  type Clock,
  CLOCK,
  CONFIGURATION_FEED,
  type ConfigurationFeed,
  configOf,
  LOGGER,
  type Logger,
  PIPELINE_POOL,
  SHELL_CONFIG,
  type ShellConfig,
} from '@tocsin/nest-shell';
import type { Pipeline } from '@tocsin/postgres';
import type { Pool } from 'pg';
import { MailEnvironment } from './mail-config.ts';
import { MAILER, Mailer, mails } from './mailer.ts';
import { NOTICE_BOARD, NoticeBoard } from './notice-board.ts';

const MAIL_CONFIG = Symbol('MAIL_CONFIG');

/** What writes notifications and what mails them. */
export const notificationProviders = (pipelineToken: symbol): Provider[] => [
  configOf(MAIL_CONFIG, MailEnvironment),
  {
    provide: NOTICE_BOARD,
    inject: [pipelineToken, CONFIGURATION_FEED, SHELL_CONFIG, MAIL_CONFIG],
    useFactory: (pipeline: Pipeline, feed: ConfigurationFeed, shell: ShellConfig, config: MailEnvironment) =>
      new NoticeBoard({ pipeline, feed, publicUrl: () => shell.publicUrl, mails: mails(config) }),
  },
  {
    provide: MAILER,
    inject: [PIPELINE_POOL, CLOCK, LOGGER, MAIL_CONFIG],
    useFactory: (pool: Pool, clock: Clock, log: Logger, config: MailEnvironment) =>
      new Mailer({ pool, clock, log, config }),
  },
];
