import type { Type } from '@nestjs/common';
import type { ServiceName } from '@tocsin/contracts';

/** What a service brings: its Nest module and the folder of its migrations. */
export interface ServiceDefinition {
  name: ServiceName;
  module: Type;
  /** Folder of numbered SQL files, e.g. `new URL('../src/migrations/', import.meta.url)`. */
  migrations?: URL;
  /** It has work to do while the event log is away: its boot does not wait for the log, which it hears as soon as it can. */
  worksWithoutLog?: boolean;
}
