/** What became of one command. */
export type Outcome<Answer> = { answer: Answer } | { error: unknown };

export interface GroupParts<Ask, Answer> {
  /** What only one command at a time may write. */
  keyOf(ask: Ask): string;
  /** Runs these in one transaction: one outcome for each, in their order. Throws where the transaction failed as a whole. */
  run(asks: readonly Ask[]): Promise<Outcome<Answer>[]>;
  /** Whether one of them may be to blame for a failure of all. */
  isOurFault(error: unknown): boolean;
}

interface Waiting<Ask, Answer> {
  ask: Ask;
  resolve: (answer: Answer) => void;
  reject: (error: unknown) => void;
}

/** One waits for the database while the other is made ready; more would only make the groups smaller. */
const AT_ONCE = 2;
const GROUP_MAX = 64;

/**
 * Commands that come while others are being written go into one transaction together: its statements, its commit and its answer cost the same for
 * one command as for fifty. Nobody waits for company: a command that finds nothing under way starts at once.
 */
export class CommandGroups<Ask, Answer> {
  private waiting: Waiting<Ask, Answer>[] = [];
  private readonly busy = new Set<string>();
  private running = 0;
  private planned = false;

  constructor(private readonly parts: GroupParts<Ask, Answer>) {}

  /** Commands with the same key run in the order in which they came. */
  add(ask: Ask): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ ask, resolve, reject });
      this.plan();
    });
  }

  /** After this turn, so that what came in the same one goes together. */
  private plan(): void {
    if (this.planned || this.running >= AT_ONCE) return;
    this.planned = true;
    setImmediate(() => {
      this.planned = false;
      this.start();
    });
  }

  private start(): void {
    while (this.running < AT_ONCE) {
      const group = this.take();
      if (group.length === 0) return;
      this.running++;
      void this.work(group);
    }
  }

  /** The first that may run, at most one of each key. */
  private take(): Waiting<Ask, Answer>[] {
    const group: Waiting<Ask, Answer>[] = [];
    const left: Waiting<Ask, Answer>[] = [];
    for (const one of this.waiting) {
      const key = this.parts.keyOf(one.ask);
      if (group.length === GROUP_MAX || this.busy.has(key)) left.push(one);
      else {
        this.busy.add(key);
        group.push(one);
      }
    }
    this.waiting = left;
    return group;
  }

  private async work(group: readonly Waiting<Ask, Answer>[]): Promise<void> {
    await this.settle(group);
    for (const { ask } of group) this.busy.delete(this.parts.keyOf(ask));
    this.running--;
    if (this.waiting.length > 0) this.plan();
  }

  private async settle(group: readonly Waiting<Ask, Answer>[]): Promise<void> {
    try {
      const outcomes = await this.parts.run(group.map(({ ask }) => ask));
      group.forEach(({ resolve, reject }, index) => {
        const outcome = outcomes[index] ?? { error: new Error('a command got no outcome') };
        if ('answer' in outcome) resolve(outcome.answer);
        else reject(outcome.error);
      });
    } catch (error) {
      if (group.length === 1 || !this.parts.isOurFault(error)) for (const { reject } of group) reject(error);
      else for (const one of group) await this.settle([one]); // what is wrong with one of them is not the others' affair
    }
  }
}
