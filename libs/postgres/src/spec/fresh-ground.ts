import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { EventLog } from '@tocsin/event-log';
import { Ground, openLog } from './kit.ts';

/** The database of this spec file, empty at the start of each test. */
export let ground: Ground;
/** A log in memory for each test. */
export let log: EventLog;

/** To be called once by a spec file, outside its tests. */
export function useFreshGround(): void {
  beforeAll(async () => void (ground = await Ground.open()));
  afterAll(() => ground.close());
  beforeEach(async () => {
    await ground.clear();
    log = await openLog();
    return () => log.close();
  });
}

export const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);
