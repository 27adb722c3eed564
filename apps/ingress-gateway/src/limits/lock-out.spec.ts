import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { LockOut } from './lock-out.ts';

const MINUTE = 60_000;
const webhook = { id: 'whk_1', workspaceId: 'ws_1' };
const fail = (lockOut: LockOut, times: number, at: number, client = 'a') => {
  for (let n = 0; n < times; n += 1) lockOut.failed(webhook, client, at);
};

describe('a client that shows wrong credentials', () => {
  it('is locked out for 15 minutes after the tenth within 15 minutes', async () => {
    const lockOut = new LockOut(undefined, pino({ level: 'silent' }));
    expect(lockOut.isQuiet()).toBe(true);
    fail(lockOut, 9, 0);
    expect(lockOut.leftMs('whk_1', 'a', 1)).toBe(0);
    fail(lockOut, 1, MINUTE);
    expect(lockOut.leftMs('whk_1', 'a', MINUTE)).toBe(15 * MINUTE);
    expect(lockOut.leftMs('whk_1', 'b', MINUTE)).toBe(0);
    expect(lockOut.leftMs('whk_2', 'a', MINUTE)).toBe(0);
    await lockOut.sweep(15 * MINUTE);
    expect(lockOut.leftMs('whk_1', 'a', 16 * MINUTE - 1)).toBe(1);
    expect(lockOut.leftMs('whk_1', 'a', 16 * MINUTE)).toBe(0);
    await lockOut.sweep(16 * MINUTE);
    expect(lockOut.isQuiet()).toBe(true);
  });

  it('is not locked out by failures that are further apart', () => {
    const lockOut = new LockOut(undefined, pino({ level: 'silent' }));
    fail(lockOut, 9, 0);
    fail(lockOut, 9, 15 * MINUTE);
    expect(lockOut.leftMs('whk_1', 'a', 15 * MINUTE)).toBe(0);
  });
});
