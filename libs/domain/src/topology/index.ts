export { compileTopology, type NearService, type Topology } from './topology.ts';
