import { describe, expect, it } from 'vitest';
import { KEPT_MS, Pruning } from './pruning.ts';

const MINUTE = 60_000;
const START = Date.parse('2026-11-21T09:00:00.000Z');
const batchAt = (at: number, alerts = 1) => ({
  processed: Array.from({ length: alerts }, (_, index) => ({
    workspaceId: 'ws_a',
    scope: 'ws_a',
    alertId: `alr_${index}`,
    receivedAt: START + at,
  })),
});

describe('when old rows go', () => {
  it('is counted from the newest record time of their scope', () =>
    expect(new Pruning().due(batchAt(0)).scopes).toEqual([
      { scope: 'ws_a', newest: START, processedBefore: START - KEPT_MS, closingsBefore: START - 60 * MINUTE },
    ]));

  it('is looked at again after a minute of record time', () => {
    const pruning = new Pruning();
    pruning.done(pruning.due(batchAt(0)), []);
    expect(pruning.due(batchAt(MINUTE - 1)).scopes).toEqual([]);
    expect(pruning.due(batchAt(MINUTE)).scopes).toHaveLength(1);
  });

  it('is looked at in the next batch while more is left', () => {
    const pruning = new Pruning();
    pruning.done(pruning.due(batchAt(0)), ['ws_a']);
    expect(pruning.due(batchAt(1)).scopes).toHaveLength(1);
  });

  it('deletes a bounded number, and faster than rows come', () => {
    expect(new Pruning().due(batchAt(0)).rows).toBe(1_000);
    expect(new Pruning().due(batchAt(0, 800)).rows).toBe(1_600);
  });

  it('asks nothing for a batch of facts', () => expect(new Pruning().due({ processed: [] }).scopes).toEqual([]));
});
