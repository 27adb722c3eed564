import { isId, type ServiceDependency } from '@tocsin/contracts';
import { Problem } from '@tocsin/nest-shell';
import type { ServiceRow } from './service-store.ts';
import {
  TOPOLOGY_MAX,
  type DependencyInput,
  type PatchTopology,
  type PutTopology,
  type ServiceInput,
} from './topology.dto.ts';

/** What a change does to services and dependencies. */
export interface TopologyChange {
  /** Added, or changed. */
  services: ServiceInput[];
  removed: string[];
  dependencies: ServiceDependency[];
}

interface Before {
  services: readonly ServiceRow[];
  dependencies: readonly ServiceDependency[];
}

const invalid = (path: string, code: string, message: string): Problem =>
  new Problem('validation-failed', `${path}: ${message}`, { errors: [{ path, code, message }] });

/** Names of services that are given by name or by id. @throws Problem where an id names none */
function namesFor(services: readonly ServiceRow[]): (given: string, path: string) => string {
  const byId = new Map(services.map(({ id, name }) => [id, name]));
  return (given, path) => {
    if (!isId('svc', given)) return given;
    const name = byId.get(given);
    if (name === undefined) throw invalid(path, 'unknown-service', 'there is no service with this id');
    return name;
  };
}

function dependenciesOf(
  given: readonly DependencyInput[],
  path: string,
  nameOf: ReturnType<typeof namesFor>,
): ServiceDependency[] {
  return given.map((edge, index) => {
    const from = nameOf(edge.from, `${path}[${index}].from`);
    const to = nameOf(edge.to, `${path}[${index}].to`);
    if (from === to) throw invalid(`${path}[${index}]`, 'self-dependency', 'a service cannot depend on itself');
    return { from, to };
  });
}

const keyOf = ({ from, to }: ServiceDependency): string => JSON.stringify([from, to]);

/** Each once, in an order of their own: the same topology is the same document. */
function distinct(dependencies: readonly ServiceDependency[]): ServiceDependency[] {
  const byKey = new Map(dependencies.map((one) => [keyOf(one), one]));
  return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}

/** Services that dependencies name and nobody has declared. */
const undeclared = (dependencies: readonly ServiceDependency[], known: ReadonlySet<string>): ServiceInput[] =>
  [...new Set(dependencies.flatMap(({ from, to }) => [from, to]))]
    .filter((name) => !known.has(name))
    .map((name) => ({ name }));

function checked(change: TopologyChange, { services }: Before): TopologyChange {
  if (change.dependencies.length > TOPOLOGY_MAX.edges)
    throw invalid('edges', 'too-many', `there can be at most ${TOPOLOGY_MAX.edges} dependencies`);
  const declared = new Set([
    ...services.filter((service) => service.first_seen_at === null).map(({ name }) => name),
    ...change.services.map(({ name }) => name),
  ]);
  for (const name of change.removed) declared.delete(name);
  if (declared.size > TOPOLOGY_MAX.nodes)
    throw invalid('nodes', 'too-many', `at most ${TOPOLOGY_MAX.nodes} services can be declared`);
  return change;
}

/**
 * The declared part anew: dependencies, owners and tags. A service that alerts have named stays, without owner and tags where it is
 * not among `nodes`; any other that is not named any more goes. @throws Problem validation-failed
 */
export function replaced(before: Before, { nodes = [], edges }: PutTopology): TopologyChange {
  const dependencies = distinct(dependenciesOf(edges, 'edges', namesFor(before.services)));
  const named = new Set([...nodes.map(({ name }) => name), ...dependencies.flatMap(({ from, to }) => [from, to])]);
  const given = nodes.map((node): ServiceInput => ({
    name: node.name,
    owner: node.owner ?? null,
    tags: node.tags ?? [],
  }));
  const declared = new Set(nodes.map(({ name }) => name));
  const others = before.services.filter(({ name }) => !declared.has(name));
  const cleared = others
    .filter((one) => one.first_seen_at !== null || named.has(one.name))
    .filter((one) => one.owner !== null || one.tags.length > 0)
    .map(({ name }): ServiceInput => ({ name, owner: null, tags: [] }));
  const removed = others.filter((one) => one.first_seen_at === null && !named.has(one.name)).map(({ name }) => name);
  const known = new Set([...declared, ...others.map(({ name }) => name)]);
  const services = [...given, ...cleared, ...undeclared(dependencies, known)];
  return checked({ services, removed, dependencies }, before);
}

/** Adds, changes and takes away what is given. @throws Problem validation-failed */
export function patched(before: Before, patch: PatchTopology): TopologyChange {
  const nameOf = namesFor(before.services);
  const removed = (patch.remove_nodes ?? []).map((given, index) => nameOf(given, `remove_nodes[${index}]`));
  const gone = new Set(removed);
  const taken = new Set(dependenciesOf(patch.remove_edges ?? [], 'remove_edges', nameOf).map(keyOf));
  const kept = before.dependencies.filter((one) => !gone.has(one.from) && !gone.has(one.to) && !taken.has(keyOf(one)));
  const dependencies = distinct([...kept, ...dependenciesOf(patch.edges ?? [], 'edges', nameOf)]);
  const nodes = patch.nodes ?? [];
  const known = new Set([
    ...before.services.filter(({ name }) => !gone.has(name)).map(({ name }) => name),
    ...nodes.map(({ name }) => name),
  ]);
  const services = [...nodes, ...undeclared(dependencies, known)];
  return checked({ services, removed, dependencies }, before);
}
