import {
  fileUnder,
  type CorrelationRows,
  type KeyHolder,
  type KnownIncident,
  type OrderMemory,
  type StoredRows,
} from '@tocsin/domain/correlation';
import type { Tx } from '@tocsin/postgres';
import type { KeptScope } from './kept-scope.ts';
import { listOpen, loadOpen } from './correlation-store.ts';
import type { Known, Lookup } from './lookup.ts';
import { OpenScopes, type KeptMost } from './open-scopes.ts';
import type { Due } from './pruning.ts';
import { Recent } from './recent.ts';

/** Of keys twice as many at most, some 600 bytes each; of closings, most of which are none, some 200. */
const MOST = { keys: 20_000, closings: 40_000 };

/** What a batch has read and written. */
export interface Batch {
  lookup: Lookup;
  /** Those that were known before come first. */
  loaded: StoredRows;
  changes: CorrelationRows;
  due: Due;
  /** Scopes whose open incidents it has listed. */
  listing: string[];
}

/**
 * What a process knows of the tables without reading them: all open incidents of its scopes, the keys of those that came again lately, what
 * is remembered of closings. As it was committed: it changes after a commit, and is dropped when another owner may have written.
 */
export class KnownRows implements Known {
  private readonly open: OpenScopes;
  /** Large scopes whose open incidents are listed by their terms in the table. */
  private readonly listed = new Set<string>();
  private readonly keys = new Recent<KeyHolder>(MOST.keys);
  private readonly closings = new Recent<OrderMemory | null>(MOST.closings);

  constructor(most?: KeptMost) {
    this.open = new OpenScopes(most);
  }

  /** @returns large scopes that are listed from this transaction on */
  async load(tx: Tx, scopes: ReadonlySet<string>): Promise<string[]> {
    await this.open.load(scopes, (scope, most) => loadOpen(tx, scope, most));
    const listing: string[] = [];
    for (const scope of scopes)
      if (!this.open.isLarge(scope))
        this.listed.delete(scope); // incidents are not listed as long as they are known
      else if (!this.listed.has(scope)) {
        await listOpen(tx, scope);
        listing.push(scope);
      }
    return listing;
  }

  /** For a batch that decides now, on what is committed: what an earlier attempt has changed is put back. */
  keptOf(scopes: Iterable<string>): Map<string, KeptScope | undefined> {
    const kept = new Map([...scopes].map((scope) => [scope, this.open.kept(scope)]));
    for (const one of kept.values()) one?.undo();
    return kept;
  }

  hasOpen = (scope: string): boolean => this.open.of(scope) !== undefined;
  incident = (scope: string, incidentId: string): KnownIncident | undefined =>
    this.open.kept(scope)?.committed(incidentId);

  key(_scope: string, path: string): KeyHolder | undefined {
    const key = this.keys.get(path);
    return key && this.isOpen(key) ? key : undefined;
  }

  closing(scope: string, path: string): OrderMemory | null | undefined {
    return this.hasOpen(scope) ? this.closings.get(path) : undefined;
  }

  /** Keys of closed incidents may be deleted with them. */
  private isOpen({ scope, incidentId }: KeyHolder): boolean {
    return incidentId !== null && this.incident(scope, incidentId) !== undefined;
  }

  /** Takes in a batch that was committed. */
  take({ lookup, loaded, changes, due, listing }: Batch): void {
    for (const scope of listing) this.listed.add(scope);
    this.open.take(changes.incidents);
    for (const key of loaded.keys.slice(lookup.known.keys.length)) this.keys.set(pathOf(key), key);
    for (const key of changes.keys) this.keys.set(pathOf(key), key);
    for (const { path } of lookup.closings) this.closings.set(path, null);
    for (const order of loaded.orders.slice(lookup.known.closings.length)) this.closings.set(closingPath(order), order);
    for (const order of changes.orders) this.closings.set(closingPath(order), order);
    if (due.scopes.length > 0) this.prune(due);
  }

  /** What the batch may have deleted is not known any more. */
  private prune({ scopes }: Due): void {
    const before = new Map(scopes.map(({ scope, closingsBefore }) => [scope, closingsBefore]));
    this.keys.keep((key) => !before.has(key.scope) || this.isOpen(key));
    this.closings.keep((order) => order === null || order.keptUntil >= (before.get(order.scope) ?? 0));
  }

  forget(): void {
    this.open.forget();
    this.listed.clear();
    this.keys.clear();
    this.closings.clear();
  }
}

const pathOf = ({ scope, webhookId, dedupKey }: KeyHolder): string => fileUnder(scope, webhookId, dedupKey);
const closingPath = ({ scope, webhookId, resolveKey }: OrderMemory): string => fileUnder(scope, webhookId, resolveKey);
