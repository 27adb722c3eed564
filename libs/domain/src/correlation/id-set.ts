import { hashOf } from './text-hash.ts';

/** A third of the places at most are taken. */
const FILL = 3;
const FIRST_PLACES = 1_024;

/**
 * A set of texts to which each alert adds one and which hardly ever has what is asked for. Places hold a hash beside the number of a text,
 * so that neither a miss nor growing looks at texts that lie all over the memory, as those of a `Set` do.
 */
export class IdSet {
  private readonly ids: string[] = [];
  /** Two numbers per place: the hash, and the number of its text counted from 1; 0 = free. */
  private places = new Int32Array(2 * FIRST_PLACES);
  private mask = FIRST_PLACES - 1;

  /** What was asked for last, and its hash: mostly it is added next. */
  private asked = '';
  private hash = hashOfId('');

  has(id: string): boolean {
    this.asked = id;
    this.hash = hashOfId(id);
    return this.places[2 * this.placeOf(id, this.hash) + 1] !== 0;
  }

  add(id: string): void {
    const hash = id === this.asked ? this.hash : hashOfId(id);
    const place = this.placeOf(id, hash);
    if (this.places[2 * place + 1] !== 0) return;
    this.places[2 * place] = hash;
    this.places[2 * place + 1] = this.ids.push(id);
    if (this.ids.length * FILL > this.mask) this.grow();
  }

  clear(): void {
    if (this.places.length > 2 * FIRST_PLACES) this.places = new Int32Array(2 * FIRST_PLACES);
    else this.places.fill(0);
    this.mask = FIRST_PLACES - 1;
    this.ids.length = 0;
  }

  /** Where the text stands, or the free place where it would. */
  private placeOf(id: string, hash: number): number {
    const { places, mask, ids } = this;
    let place = hash & mask;
    for (let number = places[2 * place + 1]; number; number = places[2 * place + 1]) {
      if (places[2 * place] === hash && ids[number - 1] === id) return place;
      place = (place + 1) & mask;
    }
    return place;
  }

  private grow(): void {
    const { places } = this;
    this.places = new Int32Array(2 * places.length);
    this.mask = places.length - 1;
    for (let from = 0; from < places.length; from += 2) {
      const number = places[from + 1] as number;
      if (number === 0) continue;
      let place = (places[from] as number) & this.mask;
      while (this.places[2 * place + 1] !== 0) place = (place + 1) & this.mask;
      this.places[2 * place] = places[from] as number;
      this.places[2 * place + 1] = number;
    }
  }
}

/** Ids end in what tells them apart. */
const HASHED_LENGTH = 16;
const hashOfId = (id: string): number => hashOf(id, Math.max(0, id.length - HASHED_LENGTH));
