import { hashOf } from './text-hash.ts';

/** What is found under its text. */
export interface Named {
  readonly text: string;
}

const FIRST_PLACES = 64;
/** At most half of the places are taken. */
const FILL = 2;
/** How far from its place a value stands at most. Texts that share their places with so many others stand in a `Map`. */
const PROBES_MAX = 32;

/**
 * Values under their texts, as in a `Map`. Places hold a hash beside the number of a value, so that looking for a text that has just come
 * reads one place and the value itself: with many texts, what a lookup costs is waiting for memory. Texts that somebody has chosen to
 * share their hash cost what they cost in a `Map`.
 */
export class TextTable<Value extends Named> {
  private readonly values: (Value | undefined)[] = [];
  /** Numbers of values that are gone. */
  private readonly unused: number[] = [];
  private readonly crowded = new Map<string, Value>();
  /** Two numbers per place: the hash, and the number of its value counted from 1; 0 = free. */
  private places = new Int32Array(2 * FIRST_PLACES);
  private mask = FIRST_PLACES - 1;

  get size(): number {
    return this.values.length - this.unused.length + this.crowded.size;
  }

  get(text: string): Value | undefined {
    const { places, mask, values } = this;
    const hash = hashOf(text);
    let place = hash & mask;
    for (let probe = 0; probe < PROBES_MAX; probe++) {
      const number = places[2 * place + 1] as number;
      if (number === 0) break;
      if (places[2 * place] === hash) {
        const value = values[number - 1] as Value;
        if (value.text === text) return value;
      }
      place = (place + 1) & mask;
    }
    return this.crowded.size === 0 ? undefined : this.crowded.get(text);
  }

  /** Of a text that is not there. */
  add(value: Value): void {
    const number = this.unused.pop() ?? this.values.push(undefined);
    this.values[number - 1] = value;
    this.settle(hashOf(value.text), number);
    if ((this.values.length - this.unused.length) * FILL > this.mask) this.grow();
  }

  remove({ text }: Named): void {
    const { places, mask, values } = this;
    const hash = hashOf(text);
    let place = hash & mask;
    for (let probe = 0; probe < PROBES_MAX; probe++) {
      const number = places[2 * place + 1] as number;
      if (number === 0) break;
      if (places[2 * place] === hash && values[number - 1]?.text === text) {
        values[number - 1] = undefined;
        this.unused.push(number);
        return this.close(place);
      }
      place = (place + 1) & mask;
    }
    this.crowded.delete(text);
  }

  private settle(hash: number, number: number): void {
    const { places, mask, values } = this;
    let place = hash & mask;
    for (let probe = 0; probe < PROBES_MAX; probe++) {
      if (places[2 * place + 1] === 0) {
        places[2 * place] = hash;
        places[2 * place + 1] = number;
        return;
      }
      place = (place + 1) & mask;
    }
    const value = values[number - 1] as Value;
    this.crowded.set(value.text, value);
    values[number - 1] = undefined;
    this.unused.push(number);
  }

  /** Frees a place. Those behind it that stand away from theirs move up, so that none is cut off. */
  private close(freed: number): void {
    const { places, mask } = this;
    let free = freed;
    for (let next = (free + 1) & mask; places[2 * next + 1] !== 0; next = (next + 1) & mask) {
      const own = (places[2 * next] as number) & mask;
      if (((next - own) & mask) < ((next - free) & mask)) continue;
      places[2 * free] = places[2 * next] as number;
      places[2 * free + 1] = places[2 * next + 1] as number;
      free = next;
    }
    places[2 * free + 1] = 0;
  }

  private grow(): void {
    const { places } = this;
    this.places = new Int32Array(2 * places.length);
    this.mask = places.length - 1;
    for (let from = 0; from < places.length; from += 2) {
      const number = places[from + 1] as number;
      if (number !== 0) this.settle(places[from] as number, number);
    }
  }
}
