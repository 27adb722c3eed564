import { deriveId, type Id } from './ids.ts';
import type { FeedDocument } from './configuration.ts';

export type ServiceId = Id<'svc'>;

/** A service is known by its name within its workspace: the same name is the same service, whoever names it first. */
export const serviceIdOf = (workspaceId: string, name: string): ServiceId => deriveId('svc', workspaceId, name);

/** `from` depends on `to`, both by name. Cycles are allowed. */
export interface ServiceDependency {
  from: string;
  to: string;
}

/** Which services of a workspace depend on which. Services without a dependency are not in it. */
export interface TopologyBody {
  dependencies: ServiceDependency[];
}
export type TopologyDocument = FeedDocument<'topology', TopologyBody>;
