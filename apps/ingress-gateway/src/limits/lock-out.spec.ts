import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { LockOut } from './lock-out.ts';

const MINUTE = 60_000;
const webhook = { id: 'whk_1', workspaceId: 'ws_1' };
const suspect = (id: string, client: string) => ({ webhook: { ...webhook, id }, client });
const fail = (lockOut: LockOut, times: number, at: number, client = 'a') => {
  for (let n = 0; n < times; n += 1) lockOut.failed({ webhook, client }, at);
};

describe('a client that shows wrong credentials', () => {
  it('is locked out for 15 minutes after the tenth within 15 minutes', async () => {
    const lockOut = new LockOut(undefined, pino({ level: 'silent' }));
    expect(lockOut.isQuiet()).toBe(true);
    fail(lockOut, 9, 0);
    expect(lockOut.leftMs(suspect('whk_1', 'a'), 1)).toBe(0);
    fail(lockOut, 1, MINUTE);
    expect(lockOut.leftMs(suspect('whk_1', 'a'), MINUTE)).toBe(15 * MINUTE);
    expect(lockOut.leftMs(suspect('whk_1', 'b'), MINUTE)).toBe(0);
    expect(lockOut.leftMs(suspect('whk_2', 'a'), MINUTE)).toBe(0);
    await lockOut.sweep(15 * MINUTE);
    expect(lockOut.leftMs(suspect('whk_1', 'a'), 16 * MINUTE - 1)).toBe(1);
    expect(lockOut.leftMs(suspect('whk_1', 'a'), 16 * MINUTE)).toBe(0);
    await lockOut.sweep(16 * MINUTE);
    expect(lockOut.isQuiet()).toBe(true);
  });

  it('is not locked out by failures that are further apart', () => {
    const lockOut = new LockOut(undefined, pino({ level: 'silent' }));
    fail(lockOut, 9, 0);
    fail(lockOut, 9, 15 * MINUTE);
    expect(lockOut.leftMs(suspect('whk_1', 'a'), 15 * MINUTE)).toBe(0);
  });

  it('is let in again when an editor forgives what was counted so far, and not what comes later', () => {
    const lockOut = new LockOut(undefined, pino({ level: 'silent' }));
    const forgiven = { ...suspect('whk_1', 'a'), unlockedAt: new Date(2 * MINUTE).toISOString() };
    fail(lockOut, 10, MINUTE);
    expect(lockOut.leftMs(forgiven, 2 * MINUTE + 1)).toBe(0);
    expect(lockOut.isQuiet()).toBe(true);
    fail(lockOut, 9, MINUTE);
    lockOut.failed(forgiven, 2 * MINUTE + 1);
    expect(lockOut.leftMs(forgiven, 2 * MINUTE + 1)).toBe(0);
    for (let n = 0; n < 9; n += 1) lockOut.failed(forgiven, 2 * MINUTE + 2);
    expect(lockOut.leftMs(forgiven, 2 * MINUTE + 2)).toBe(15 * MINUTE);
  });
});
