import type { PathEffort } from '../mapping/index.ts';

/**
 * What the mapping of one payload may cost, in units of about 0.2 µs: a step into a document is one, and jsonpath-plus takes about 1 µs for
 * each value that it visits. Ten thousand alerts with thirty plain paths each need a tenth of it.
 */
export const EFFORT_LIMIT = 3_000_000;
/** Finding the path that was meant costs up to half a millisecond. */
const MAX_SUGGESTIONS = 40;
/** Mapped texts and fields of one payload, in UTF-16 units: a path into the whole payload repeats it for every alert. */
const MAX_KEPT = 4 * 1024 * 1024;
const QUERY_START = 20;
const QUERY_PER_VALUE = 5;
const TEXT_PER_VALUE = 512;

/**
 * The effort that a mapping has left for one payload. It is counted, never timed, so that the same payload gives the same alerts whenever
 * it is read; a mapping that asks for too much stops having a say in the rest of its own payload, and nothing else waits for it.
 */
export class MappingEffort {
  private suggestions = MAX_SUGGESTIONS;
  private kept = MAX_KEPT;
  private readonly sizes = new WeakMap<object, number>();
  private readonly inRoot = new Map<object, readonly unknown[]>();

  constructor(private left: number = EFFORT_LIMIT) {}

  isSpent(): boolean {
    return this.left <= 0;
  }

  /** Whether a path may be followed in a document. */
  allows(effort: PathEffort, document: unknown): boolean {
    if (effort === 'keys') return this.spend(1);
    const size = this.sizeOf(document);
    return this.spend(effort === 'walk' ? 1 + size / 2 : QUERY_START + size * QUERY_PER_VALUE);
  }

  /** Whether a value may be worked on: converted, cleaned, copied. */
  allowsValue(value: unknown): boolean {
    if (typeof value === 'string') return value.length <= TEXT_PER_VALUE || this.spend(value.length / TEXT_PER_VALUE);
    return typeof value !== 'object' || value === null || this.spend(this.sizeOf(value));
  }

  /** Whether so many characters may be kept. */
  allowsKept(characters: number): boolean {
    this.kept -= characters;
    return this.kept >= 0;
  }

  allowsSuggestion(): boolean {
    this.suggestions -= 1;
    return this.suggestions >= 0;
  }

  /** What a path finds in the whole payload, worked out for the first element that asks. */
  once(path: object, find: () => readonly unknown[]): readonly unknown[] {
    const known = this.inRoot.get(path);
    if (known) return this.spend(1) ? known : [];
    const found = find();
    this.inRoot.set(path, found);
    return found;
  }

  private spend(units: number): boolean {
    this.left -= units;
    return this.left > 0;
  }

  /** How many values there are, a long text counting as several. Iterative: nesting may be deep. */
  private sizeOf(document: unknown): number {
    if (typeof document !== 'object' || document === null) return 1;
    const known = this.sizes.get(document);
    if (known !== undefined) return known;
    let size = 0;
    const open: unknown[] = [document];
    for (let value = open.pop(); open.length > 0 || value !== undefined; value = open.pop()) {
      size += typeof value === 'string' ? 1 + value.length / TEXT_PER_VALUE : 1;
      if (typeof value !== 'object' || value === null) continue;
      for (const inner of Array.isArray(value) ? (value as unknown[]) : Object.values(value)) open.push(inner);
    }
    this.sizes.set(document, size);
    return size;
  }
}
