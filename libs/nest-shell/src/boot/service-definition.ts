import type { Type } from '@nestjs/common';
import type { ServiceName } from '@tocsin/contracts';

/** What a service brings: its Nest module and the folder of its migrations. */
export interface ServiceDefinition {
  name: ServiceName;
  module: Type;
  /** Folder of numbered SQL files, e.g. `new URL('../src/migrations/', import.meta.url)`. */
  migrations?: URL;
}
