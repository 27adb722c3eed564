import type { Clock, Logger } from '@tocsin/nest-shell';
import type { Input, Stage } from '@tocsin/postgres';
import { settleLetters } from '../inbound-log/settle-letters.ts';
import { type Bounds, BOUNDS, insertLetters, KEPT_DAYS, pruneLetters } from './dead-letter-store.ts';
import { letterOf } from './letter-of.ts';

export interface StoreLettersParts {
  now: Clock;
  log: Pick<Logger, 'warn'>;
  bounds?: Bounds;
}

const DAY_MS = 24 * 60 * 60_000;
/** Bounds are looked at this often, with the letters that come then: a look reads the sizes of all letters. */
const LOOK_MS = 60_000;

/** The topic has one partition, so its letters come from where it is read. */
const SOURCE = { topic: 'dead-letters', partition: 0 } as const;

/** Keeps what no service could read. Every record is handled: nothing of a letter can be wrong enough to refuse it. */
export function storeLettersStage({ now, log, bounds = BOUNDS }: StoreLettersParts): Stage<null> {
  let nextLook = 0;
  return {
    load: () => Promise.resolve(null), // a letter stands alone
    async apply(tx, inputs: Input[]) {
      const letters = inputs.map((input) => letterOf(SOURCE, input));
      const made = await insertLetters(tx, letters);
      const at = now();
      await settleLetters(tx, letters, at);
      const due = at.getTime() >= nextLook;
      const pruned = due
        ? await pruneLetters(tx, new Date(at.getTime() - KEPT_DAYS * DAY_MS), bounds)
        : { gone: 0, emptied: 0 };
      return {
        verdicts: inputs.map(() => ({ kind: 'handled' })),
        outputs: [],
        committed: () => {
          if (due) nextLook = at.getTime() + LOOK_MS;
          log.warn({ letters: made, ...pruned }, 'dead-letters.stored');
        },
      };
    },
    forget: () => undefined, // keeps nothing that another owner could change
  };
}
