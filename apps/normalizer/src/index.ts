import type { ServiceDefinition } from '@tocsin/nest-shell';
import { NormalizerModule } from './normalizer.module.ts';

/** Stateless: no schema, no migrations. */
export const normalizer: ServiceDefinition = { name: 'normalizer', module: NormalizerModule };
export { NormalizerModule };
