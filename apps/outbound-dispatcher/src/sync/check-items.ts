import { SyncFailure, type CheckItem } from './ticket-system.ts';

export type Look = (item: string, run: () => string | Promise<string>) => Promise<boolean>;

/** Looks at one thing after the other; what fails is an item of the answer, and no failure of the check. */
export const looked =
  (items: CheckItem[]): Look =>
  async (item, run) => {
    try {
      items.push({ item, result: 'ok', message: await run() });
      return true;
    } catch (error) {
      if (error instanceof SyncFailure && error.kind === 'given-back') throw error;
      items.push({ item, result: 'wrong', message: (error as Error).message });
      return false;
    }
  };

export const same = (a: string, b: string): boolean => a.trim().toLowerCase() === b.trim().toLowerCase();
