import type { Provider, Type } from '@nestjs/common';
import { allowListOf } from '@tocsin/domain/delivery';
import { SHELL_CONFIG, type ShellConfig } from '@tocsin/nest-shell';
import type { ControlPlaneEnvironment } from '../config.ts';
import type { ConfigurationStore } from '../configuration-store.ts';
import type { Credentials } from '../credentials.ts';
import { CONFIGURATION_STORE, CONTROL_PLANE_CONFIG, CREDENTIALS } from '../tokens.ts';
import { SyncLinksController } from './sync-links.controller.ts';
import { SyncLinks } from './sync-links.ts';
import { SYNC_LINKS } from './tokens.ts';

export const syncLinkControllers: Type[] = [SyncLinksController];

/** Links with Jira and ServiceNow. */
export const syncLinkProviders: Provider[] = [
  {
    provide: SYNC_LINKS,
    inject: [CONFIGURATION_STORE, CREDENTIALS, CONTROL_PLANE_CONFIG, SHELL_CONFIG],
    useFactory: (
      store: ConfigurationStore,
      credentials: Credentials,
      config: ControlPlaneEnvironment,
      shell: ShellConfig,
    ) => new SyncLinks(store, credentials, allowListOf(config.OUTBOUND_ALLOW, shell.development)),
  },
];
