import type { KeyHolder } from '../incident/index.ts';

type Key = Pick<KeyHolder, 'scope' | 'webhookId' | 'dedupKey'>;
const keyText = (key: Key): string => JSON.stringify([key.scope, key.webhookId, key.dedupKey]);

/** Which alert holds which dedup key, as the incident-store's table of holders says it. */
export class MemoryKeys {
  private readonly holders = new Map<string, KeyHolder>();
  private readonly keyOfAlert = new Map<string, string>();

  /** Holders of these keys, and of those that these alerts hold. */
  heldOf(keys: readonly Key[], alertIds: Iterable<string>): KeyHolder[] {
    const wanted = new Set(keys.map(keyText));
    for (const alertId of alertIds) {
      const key = this.keyOfAlert.get(alertId);
      if (key !== undefined) wanted.add(key);
    }
    return [...pick(this.holders, wanted).values()];
  }

  hold(holder: KeyHolder): void {
    const key = keyText(holder);
    this.holders.set(key, holder);
    this.keyOfAlert.set(holder.alertId, key);
  }

  /** @returns what these alerts held until now */
  release(alertIds: readonly string[]): KeyHolder[] {
    return alertIds.flatMap((alertId) => {
      const key = this.keyOfAlert.get(alertId);
      const holder = key === undefined ? undefined : this.holders.get(key);
      if (key === undefined || holder?.alertId !== alertId) return [];
      this.holders.delete(key);
      this.keyOfAlert.delete(alertId);
      return [holder];
    });
  }

  /** What these alerts hold goes with them to another incident. @returns it */
  rehome(alertIds: readonly string[], incidentId: string): KeyHolder[] {
    const going = new Set(alertIds);
    const moved = this.heldOf([], going)
      .filter(({ alertId }) => going.has(alertId))
      .map((holder) => ({ ...holder, incidentId }));
    for (const holder of moved) this.hold(holder);
    return moved;
  }
}

/** The entries of a map under these keys. */
export function pick<Value>(from: ReadonlyMap<string, Value>, keys: Iterable<string>): Map<string, Value> {
  const picked = new Map<string, Value>();
  for (const key of keys) {
    const value = from.get(key);
    if (value !== undefined) picked.set(key, value);
  }
  return picked;
}
