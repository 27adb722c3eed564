/** Pairs of code units are told apart by so many places. */
const PLACES = 1_024;
/** Shorter words have no pair that they begin with. */
export const SCANNED_LENGTH_MIN = 2;

interface Word {
  text: string;
  number: number;
}

/**
 * Words that are looked for in a text, all in one pass over it: sets of rules look for dozens of them in every title. Only where two
 * code units follow each other with which a word begins it is compared.
 */
export class WordScan {
  private readonly beginning: (Word[] | undefined)[] = Array.from({ length: PLACES });
  /** Whether a word begins there: this is asked for every code unit. */
  private readonly isTaken = new Uint8Array(PLACES);

  add(text: string, number: number): void {
    const place = placeOf(text.charCodeAt(0), text.charCodeAt(1));
    this.isTaken[place] = 1;
    (this.beginning[place] ??= []).push({ text, number });
  }

  /** Says `mark` at the number of each word that occurs. */
  look(text: string, into: Uint8Array, mark: number): void {
    const { isTaken, beginning } = this;
    let before = text.charCodeAt(0);
    for (let index = 1; index < text.length; index++) {
      const unit = text.charCodeAt(index);
      const place = placeOf(before, unit);
      before = unit;
      if (isTaken[place] === 0) continue;
      for (const word of beginning[place] ?? []) if (text.startsWith(word.text, index - 1)) into[word.number] = mark;
    }
  }
}

const placeOf = (first: number, second: number): number => (first * 31 + second) & (PLACES - 1);
