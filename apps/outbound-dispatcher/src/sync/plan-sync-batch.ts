import { decodeRecord, type IncidentEventRecord, type SyncLinkDocument } from '@tocsin/contracts';
import { opsOf } from '@tocsin/domain/sync';
import type { ConfigurationFeed } from '@tocsin/nest-shell';
import type { Input, Stage, Tx } from '@tocsin/postgres';
import { planOps, type PlannedFor } from './op-store.ts';

export interface PlanSyncParts {
  feed: Pick<ConfigurationFeed, 'syncLinks'>;
  clock: () => Date;
  /** Something was planned for these links. */
  wake: (linkIds: Iterable<string>) => void;
}

/** Lets a stage also plan what links tell their systems: the same batch, the same transaction, the same position. */
export function alsoPlanningSync<Loaded>(stage: Stage<Loaded>, parts: PlanSyncParts): Stage<Loaded> {
  return {
    ...stage,
    async apply(tx, inputs, loaded) {
      const applied = await stage.apply(tx, inputs, loaded);
      const heard = inputs.filter((_input, index) => applied.verdicts[index]?.kind !== 'dead-letter');
      const woken = await planSync(tx, heard, parts);
      return {
        ...applied,
        committed: () => {
          applied.committed?.();
          if (woken.size > 0) parts.wake(woken);
        },
      };
    },
  };
}

async function planSync(tx: Tx, inputs: readonly Input[], { feed, clock }: PlanSyncParts): Promise<Set<string>> {
  const links = feed.syncLinks().filter(({ body }) => body.active);
  if (links.length === 0) return new Set();
  const planned = inputs
    .filter(({ type }) => type === 'incident.event.v1')
    .flatMap((input) => opsFor(decodeRecord('incident.event.v1', input.value), links));
  await planOps(tx, planned, clock());
  return new Set(planned.map(({ link }) => link.id));
}

const opsFor = (record: IncidentEventRecord, links: readonly SyncLinkDocument[]): PlannedFor[] =>
  links
    .filter(({ workspaceId }) => workspaceId === record.incident.workspace_id)
    .flatMap((link) => opsOf(record, link).map((op) => ({ link, incidentId: record.incident.id, op })));
