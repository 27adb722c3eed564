/** Entries by name, of which at least so many that were used last stay, and at most twice as many. */
export class Recent<Value> {
  private young = new Map<string, Value>();
  private old = new Map<string, Value>();

  constructor(private readonly most: number) {}

  get(name: string): Value | undefined {
    const young = this.young.get(name);
    if (young !== undefined) return young;
    const old = this.old.get(name);
    if (old !== undefined) this.set(name, old);
    return old;
  }

  set(name: string, value: Value): void {
    if (this.young.size >= this.most && !this.young.has(name)) {
      this.old = this.young;
      this.young = new Map();
    }
    this.young.set(name, value);
  }

  /** Drops what does not pass. */
  keep(passes: (value: Value) => boolean): void {
    for (const values of [this.young, this.old])
      for (const [name, value] of values) if (!passes(value)) values.delete(name);
  }

  clear(): void {
    this.young.clear();
    this.old.clear();
  }
}
