import type { TopologyDocument, WorkspaceDocument } from '@tocsin/contracts';
import { compileTopology } from '../topology/index.ts';
import { workspaceCorrelation } from './config-of.ts';
import type { CorrelationConfig } from './correlate.ts';
import { inOrder, type CompiledMute } from './mutes.ts';
import type { CompiledRules } from './rules.ts';

/** What a workspace adds to the configuration of each of its webhooks. */
export interface Surroundings extends Pick<CorrelationConfig, 'mutes' | 'topology' | 'flapping' | 'storm'> {
  /** The newest revision of what is in here. */
  revision: number;
  rules: CompiledRules | null;
}

/** Reads a workspace's documents. Compiles its rules and its topology: do it once per change. */
export function surroundingsOf(
  workspace: Pick<WorkspaceDocument, 'revision' | 'body'> | undefined,
  mutes: readonly CompiledMute[],
  topology: Pick<TopologyDocument, 'revision' | 'body'> | undefined,
): Surroundings {
  const rules = workspace ? workspaceCorrelation(workspace) : null;
  const { flapping, storm } = workspace?.body ?? {};
  const decides = workspace && (rules || flapping || storm);
  return {
    revision: Math.max(
      decides ? workspace.revision : 0,
      topology?.revision ?? 0,
      ...mutes.map((mute) => mute.revision),
    ),
    rules,
    ...(mutes.length > 0 && { mutes: inOrder(mutes) }),
    ...(topology && { topology: compileTopology(topology.body) }),
    ...(flapping && { flapping }),
    ...(storm && storm.newIncidentsPerMinute > 0 && { storm }),
  };
}

/** A webhook's configuration within its workspace: the workspace's rules go behind its own. */
export function withSurroundings(own: CorrelationConfig, surroundings: Surroundings): CorrelationConfig {
  const { rules, revision, ...others } = surroundings;
  if (revision === 0) return own; // nothing that decides
  return {
    ...own,
    ...others,
    revision: Math.max(own.revision, revision),
    ...(rules && { rules: [...(own.rules ?? []), rules] }),
  };
}
