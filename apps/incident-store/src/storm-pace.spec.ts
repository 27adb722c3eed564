import { describe, expect, it } from 'vitest';
import { StormPace, type Brought } from './storm-pace.ts';

const brought = (alerts: number, incidents: number, from = 0): Brought =>
  new Map(Array.from({ length: incidents }, (_, n) => [`inc_${from + n}`, alerts / incidents]));

/** What comes at so many alerts a millisecond into 50 incidents, until so many have come: events written, and when the last one was. */
function storm(total: number, perMs: number): { events: number; end: number; longest: number } {
  const pace = new StormPace(3_000);
  let [now, taken, events, longest] = [0, 0, 50, 0];
  while (taken < total) {
    const started = now;
    const come = Math.min(Math.floor(now * perMs), total);
    const alerts = Math.min(3_000, come - taken);
    if (alerts === 0) {
      now += 1;
      continue;
    }
    taken += alerts;
    const behind = now - taken / perMs > 250;
    events += Math.min(alerts, 2 * 50); // repeats and joins of each incident
    now += 5 + alerts * 0.25;
    now += pace.after(0, brought(alerts, Math.min(50, alerts), taken % 7), { now, behind });
    longest = Math.max(longest, now - started);
  }
  return { events, end: now, longest };
}

const fresh = (now: number) => ({ now, behind: false });

describe('the next batch', () => {
  it('does not wait for alerts of ever other incidents, however many they are', () => {
    const pace = new StormPace(2_500);
    const waits = Array.from({ length: 10 }, (_, n) => pace.after(0, brought(2_000, 100, n * 100), fresh(n * 300)));
    expect(new Set(waits)).toEqual(new Set([0]));
  });

  it('does not wait for alerts that all belong to different incidents, though these come again', () => {
    const pace = new StormPace(2_500);
    const waits = Array.from({ length: 10 }, (_, n) => pace.after(0, brought(400, 400), fresh(n * 1_000)));
    expect(new Set(waits)).toEqual(new Set([0]));
  });

  it('does not wait for a few alerts of the same incident', () => {
    const pace = new StormPace(2_500);
    expect([1, 2, 3, 4, 5].map((n) => pace.after(0, brought(60, 1), fresh(n * 1_000)))).toEqual([0, 0, 0, 0, 0]);
  });

  it('gathers the longer, the longer the same incidents come again', () => {
    const pace = new StormPace(2_500);
    const waits = Array.from({ length: 9 }, (_, n) => pace.after(0, brought(200, 50), fresh(n * 200)));
    expect(waits).toEqual([0, 50, 100, 200, 400, 800, 1_000, 1_000, 1_000]);
  });

  it('gathers no longer than it takes to fill a batch', () => {
    const pace = new StormPace(2_500);
    const waits = Array.from({ length: 8 }, (_, n) => pace.after(0, brought(1_000, 50), fresh(n * 200)));
    expect(waits.at(-1)).toBe(400);
  });

  it('starts at once where more had come than one could take, and after the storm', () => {
    const pace = new StormPace(2_500);
    for (let n = 0; n < 4; n++) pace.after(0, brought(200, 50), fresh(n * 100));
    expect(pace.after(0, brought(2_500, 50), { now: 600, behind: true })).toBe(0);
    expect(pace.after(0, brought(200, 50), fresh(700))).toBe(400);
    expect(pace.after(0, brought(10, 10), fresh(5_000))).toBe(0);
  });

  it('of another partition has nothing to do with it', () => {
    const pace = new StormPace(2_500);
    for (let n = 0; n < 6; n++) pace.after(0, brought(200, 50), fresh(n * 100));
    expect(pace.after(1, brought(500, 50), fresh(600))).toBe(0);
  });

  it.each([
    ['in a minute', 100_000 / 60_000],
    ['in half a minute', 100_000 / 30_000],
    ['as fast as they can be applied', 100],
  ])('brings a storm of 100,000 alerts %s into 50 incidents under 5,000 events', (_, perMs) => {
    const { events, end, longest } = storm(100_000, perMs);
    expect(events).toBeLessThan(5_000);
    expect(end).toBeLessThan(Math.max(100_000 / perMs, 31_000) + 3_000);
    expect(longest).toBeLessThan(2_000);
  });
});
