import type { Pool } from 'pg';
import type { Wanted } from './claim-store.ts';
import { countRates, takeRates } from './endpoint-rates.ts';
import { dropProbes, takeProbes } from './endpoint-store.ts';
import type { EndpointSettings } from './subscription-settings.ts';

interface BoundParts {
  pool: Pool;
  settingsOf: (subscriptionId: string) => EndpointSettings | undefined;
  clock: () => Date;
}

/** Half-open circuits: one request, by whoever takes it first. `asked` holds the subscriptions whose probe is due; those tried are taken out. */
export async function withProbes(wanted: Wanted[], asked: Set<string>, { pool, clock }: BoundParts): Promise<Wanted[]> {
  const due = wanted.filter(({ subscriptionId }) => asked.delete(subscriptionId));
  if (due.length === 0) return wanted;
  const now = clock();
  const until = new Date(now.getTime() + Math.max(...due.map(({ leaseMs }) => leaseMs)));
  const ids = due.map(({ subscriptionId }) => subscriptionId);
  const taken = new Set(await takeProbes(pool, ids, now, until));
  return wanted.map((one) => (taken.has(one.subscriptionId) ? { ...one, slots: 1, probe: true } : one));
}

/** Slots that the subscriptions' rates allow at the moment, and the subscriptions that must wait for theirs. */
export async function withinRates(
  wanted: Wanted[],
  { pool, settingsOf, clock }: BoundParts,
): Promise<{ wanted: Wanted[]; held: string[] }> {
  const rated = wanted.flatMap(({ subscriptionId, slots }) => {
    const { maxPerSecond, workspaceId } = settingsOf(subscriptionId) ?? {};
    return maxPerSecond && workspaceId !== undefined
      ? [{ subscriptionId, workspaceId, slots, perSecond: maxPerSecond }]
      : [];
  });
  if (rated.length === 0) return { wanted, held: [] };
  const granted = await takeRates(pool, rated, clock());
  const allowed = wanted.flatMap((one) => {
    const slots = granted.get(one.subscriptionId) ?? one.slots;
    return slots === 0 ? [] : [{ ...one, slots }];
  });
  const held = rated.filter(({ subscriptionId }) => granted.get(subscriptionId) === 0);
  return { wanted: allowed, held: held.map(({ subscriptionId }) => subscriptionId) };
}

/** What a claim leaves behind: probes that found nothing to send, and what it used of rates. */
export async function accountFor(
  wanted: readonly Wanted[],
  counts: ReadonlyMap<string, number>,
  { pool, settingsOf }: BoundParts,
): Promise<void> {
  const unused = wanted.filter(({ subscriptionId, probe }) => probe && !counts.has(subscriptionId));
  await dropProbes(
    pool,
    unused.map(({ subscriptionId }) => subscriptionId),
  );
  const used = [...counts].flatMap(([subscriptionId, count]) => {
    const rate = settingsOf(subscriptionId)?.maxPerSecond;
    return rate ? [{ subscriptionId, seconds: count / rate }] : [];
  });
  await countRates(pool, used);
}
