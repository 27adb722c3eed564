import type { CompiledLeaf, ConditionSubject, IncidentSubject } from '../conditions/index.ts';
import { leafTest, wordOf, type LeafTest, type TextField } from './leaf-test.ts';
import { WordScan } from './word-scan.ts';

const NOT_ASKED = 0;
const FAILS = 1;
const HOLDS = 2;

/** Tests for one word each in the same field of an alert: all are answered together. */
interface Words {
  field: TextField;
  scan: WordScan;
  tests: number[];
}

/** The tests of a set of rules, each once, and what the alert that is asked about says to them: asked once, and only if needed. */
export class AlertTests {
  private readonly numbers = new Map<string, number>();
  private readonly tests: LeafTest[] = [];
  private readonly words = new Map<TextField, Words>();
  /** By the number of the test; absent = it is answered by itself. */
  private readonly together: (Words | undefined)[] = [];
  private answers = new Uint8Array(0);
  private alert: ConditionSubject | undefined;

  numberOf(leaf: CompiledLeaf): number {
    const { field, operator, negated, value } = leaf;
    const name = JSON.stringify([field.name, operator, negated, value]);
    const known = this.numbers.get(name);
    if (known !== undefined) return known;
    const number = this.tests.push(leafTest(leaf)) - 1;
    this.numbers.set(name, number);
    this.together.push(this.wordsWith(leaf, number));
    return number;
  }

  /** From now on it is this alert. */
  ask(alert: ConditionSubject): void {
    this.alert = alert;
    if (this.answers.length === this.tests.length) this.answers.fill(NOT_ASKED);
    else this.answers = new Uint8Array(this.tests.length);
  }

  holds(test: number): boolean {
    const known = this.answers[test];
    return known === NOT_ASKED ? this.answer(test) : known === HOLDS;
  }

  holdsOf = (test: number, incident: IncidentSubject): boolean => (this.tests[test] as LeafTest)(incident);

  private answer(test: number): boolean {
    const words = this.together[test];
    if (!words) {
      const is = (this.tests[test] as LeafTest)(this.alert as ConditionSubject);
      this.answers[test] = is ? HOLDS : FAILS;
      return is;
    }
    for (const one of words.tests) this.answers[one] = FAILS;
    const text: unknown = this.alert?.[words.field];
    if (typeof text === 'string') words.scan.look(text, this.answers, HOLDS);
    return this.answers[test] === HOLDS;
  }

  private wordsWith(leaf: CompiledLeaf, test: number): Words | undefined {
    const word = wordOf(leaf);
    if (!word) return undefined;
    let words = this.words.get(word.field);
    if (!words) this.words.set(word.field, (words = { field: word.field, scan: new WordScan(), tests: [] }));
    words.tests.push(test);
    words.scan.add(word.text, test);
    return words;
  }
}
