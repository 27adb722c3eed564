import type { Provider, Type } from '@nestjs/common';
import { RANDOM, type Random } from '@tocsin/nest-shell';
import type { ConfigurationStore } from '../configuration-store.ts';
import { CONFIGURATION_STORE, MAINTENANCE_WINDOWS, SILENCES } from '../tokens.ts';
import { MaintenanceWindowsController } from './maintenance-windows.controller.ts';
import { MaintenanceWindowRow, SilenceRow } from './mute-rows.ts';
import { Mutes } from './mutes.ts';
import { SilencesController } from './silences.controller.ts';

export const muteControllers: Type[] = [SilencesController, MaintenanceWindowsController];

/** Silences and maintenance windows. */
export const muteProviders: Provider[] = [
  {
    provide: SILENCES,
    inject: [CONFIGURATION_STORE, RANDOM],
    useFactory: (store: ConfigurationStore, random: Random) =>
      new Mutes(store, random, { Row: SilenceRow, prefix: 'sil' }),
  },
  {
    provide: MAINTENANCE_WINDOWS,
    inject: [CONFIGURATION_STORE, RANDOM],
    useFactory: (store: ConfigurationStore, random: Random) =>
      new Mutes(store, random, { Row: MaintenanceWindowRow, prefix: 'mnt' }),
  },
];
