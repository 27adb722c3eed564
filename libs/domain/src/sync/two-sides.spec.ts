import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { theirsWins } from './conflict.ts';
import { decideWrite, knownAfter, knownAfterReading, readRemote, type KnownValue } from './echo.ts';

/**
 * Both sides with everything between them, reduced to one value: ops on their way out, commands on their way in, a write that can be cut off
 * after it had its effect, people on both sides. The order of steps is free; only the decisions under test decide.
 */
class TwoSides {
  ours = { value: 'a', at: 0 };
  theirs = { value: 'a', at: 0, own: true };
  known: KnownValue = { agreed: 'a', takenAt: null, writing: null };
  readonly ops: { value: string; at: number }[] = [];
  readonly commands: { value: string; at: number }[] = [];
  writes = 0;
  applied = 0;
  private now = 1;

  constructor(private readonly saysWho: boolean) {}

  personHere(value: string): void {
    if (value === this.ours.value) return;
    this.ours = { value, at: this.now++ };
    this.ops.push({ ...this.ours });
  }
  personThere(value: string): void {
    if (value !== this.theirs.value) this.theirs = { value, at: this.now++, own: false };
  }
  private get remote() {
    return { value: this.theirs.value, at: timeOf(this.theirs.at), own: this.saysWho ? this.theirs.own : null };
  }

  /** One op; `cutOff`: the write has its effect, and the process ends before it can note that. */
  runOp(cutOff: boolean): void {
    const op = this.ops[0];
    if (!op) return;
    const wanted = { isMet: (value: string) => value === op.value, at: timeOf(op.at) };
    const { remote } = this;
    const verdict = decideWrite(wanted, remote, this.known);
    const before = this.known;
    if (verdict === 'write' || verdict === 'overwrite') {
      this.known = { ...this.known, writing: op.value };
      this.theirs = { value: op.value, at: this.now++, own: true };
      this.writes += 1;
      if (cutOff) return;
    }
    this.ops.shift();
    this.known = knownAfter(verdict, remote, before, op.value);
  }

  poll(): void {
    const { value, at } = this.theirs;
    const news = readRemote(this.remote, this.known) === 'news';
    if (news) this.commands.push({ value, at });
    this.known = knownAfterReading(this.remote, this.known);
  }

  deliver(): void {
    const command = this.commands.shift();
    if (!command || command.value === this.ours.value) return;
    const last = this.ours.at === 0 ? null : timeOf(this.ours.at);
    if (!theirsWins(last, timeOf(command.at))) return;
    this.ours = { ...command }; // its event is an echo for the link: no op
    this.applied += 1;
  }

  /** Goes on until nothing is on its way. @returns rounds */
  settle(): number {
    for (let round = 1; round <= 50; round += 1) {
      const before = JSON.stringify([this.ours, this.theirs, this.known, this.ops, this.commands]);
      while (this.ops.length > 0) this.runOp(false);
      this.poll();
      while (this.commands.length > 0) this.deliver();
      if (before === JSON.stringify([this.ours, this.theirs, this.known, this.ops, this.commands])) return round;
    }
    return Number.POSITIVE_INFINITY;
  }
}

const timeOf = (at: number): string => new Date(Date.UTC(2026, 0, 1) + at * 1000).toISOString();

const value = fc.constantFrom('a', 'b', 'c');
const step = fc.oneof(
  fc.record({ kind: fc.constant('here' as const), value }),
  fc.record({ kind: fc.constant('there' as const), value }),
  fc.record({ kind: fc.constant('op' as const), cutOff: fc.boolean() }),
  fc.record({ kind: fc.constant('poll' as const) }),
  fc.record({ kind: fc.constant('deliver' as const) }),
);
type Step = typeof step extends fc.Arbitrary<infer One> ? One : never;

function play(sides: TwoSides, steps: readonly Step[]): void {
  for (const one of steps) {
    if (one.kind === 'here') sides.personHere(one.value);
    else if (one.kind === 'there') sides.personThere(one.value);
    else if (one.kind === 'op') sides.runOp(one.cutOff);
    else if (one.kind === 'poll') sides.poll();
    else sides.deliver();
  }
}

describe.each([
  ['that says who changed a value', true],
  ['that does not', false],
])('a system %s', (_name, saysWho) => {
  it('never plays ping-pong: without people nothing is written or taken over any more', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const sides = new TwoSides(saysWho);
        play(sides, steps);
        expect(sides.settle()).toBeLessThan(6);
        const { writes, applied } = sides;
        sides.settle();
        expect([sides.writes, sides.applied]).toEqual([writes, applied]);
        // Each change of a person here is written once, and once more for each time that the writer was cut off.
        const here = steps.filter(({ kind }) => kind === 'here').length;
        const cut = steps.filter((one) => one.kind === 'op' && one.cutOff).length;
        expect(sides.writes).toBeLessThanOrEqual(here + cut);
        expect(sides.applied).toBeLessThanOrEqual(steps.length);
      }),
      { numRuns: 3_000 },
    );
  });

  it('and both sides end with the same value, found once: what we were writing is set there by somebody later', () => {
    const sides = new TwoSides(saysWho);
    sides.personHere('b');
    sides.runOp(true);
    sides.poll();
    sides.personThere('a');
    sides.poll();
    sides.personThere('b');
    sides.settle();
    expect([sides.ours.value, sides.theirs.value]).toEqual(['b', 'b']);
  });

  it('and both sides end with the same value', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const sides = new TwoSides(saysWho);
        play(sides, steps);
        sides.settle();
        expect(sides.ours.value).toBe(sides.theirs.value);
      }),
      { numRuns: 3_000 },
    );
  });
});
