import { connectorOf } from './registry.ts';

/**
 * Where README and samples of a connector lie: beside its source, in a built tree too.
 * @throws Error for what is no connector, so that only ids of the registry become part of an address
 */
export function folderOf(id: string): URL {
  if (!connectorOf(id)) throw new Error(`there is no connector "${id}"`);
  return new URL(`../src/${id}/`, import.meta.url);
}
