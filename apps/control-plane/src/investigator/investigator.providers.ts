import type { Provider, Type } from '@nestjs/common';
import { allowListOf } from '@tocsin/domain/delivery';
import { SHELL_CONFIG, type ShellConfig } from '@tocsin/nest-shell';
import type { ControlPlaneEnvironment } from '../config.ts';
import type { ConfigurationStore } from '../configuration-store.ts';
import type { Credentials } from '../credentials.ts';
import { CONFIGURATION_STORE, CONTROL_PLANE_CONFIG, CREDENTIALS, INVESTIGATORS } from '../tokens.ts';
import { WorkspaceInvestigatorController } from './investigator.controller.ts';
import { Investigators } from './investigators.ts';

export const investigatorControllers: Type[] = [WorkspaceInvestigatorController];

export const investigatorProviders: Provider[] = [
  {
    provide: INVESTIGATORS,
    inject: [CONFIGURATION_STORE, CREDENTIALS, CONTROL_PLANE_CONFIG, SHELL_CONFIG],
    useFactory: (
      store: ConfigurationStore,
      credentials: Credentials,
      config: ControlPlaneEnvironment,
      shell: ShellConfig,
    ) => new Investigators(store, credentials, allowListOf(config.OUTBOUND_ALLOW, shell.development)),
  },
];
