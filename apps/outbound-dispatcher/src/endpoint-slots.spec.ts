import { describe, expect, it } from 'vitest';
import { EndpointSlots, type SlotResult } from './endpoint-slots.ts';

const slots = () => new EndpointSlots({ max: 100, perEndpoint: 16 });
const takeAll = (of: EndpointSlots, id: string, workspace: string) =>
  Array.from({ length: of.free(id, workspace) }, () => of.take(id, workspace));
function prove(of: EndpointSlots, id: string, workspace: string): void {
  for (let answered = 0; answered < 20; answered += 1) of.take(id, workspace)('good');
}

describe('slots of receivers', () => {
  it('begin few, grow with good answers, and shrink with failures to two', () => {
    const all = slots();
    expect(all.free('a', 'ws')).toBe(4);
    prove(all, 'a', 'ws');
    expect(all.free('a', 'ws')).toBe(16);
    for (const result of ['bad', 'bad', 'bad', 'bad'] satisfies SlotResult[]) all.take('a', 'ws')(result);
    expect(all.free('a', 'ws')).toBe(2);
    all.take('a', 'ws')('good');
    expect(all.free('a', 'ws')).toBe(3);
  });

  it('are bounded by what the subscription asks for', () => {
    const all = slots();
    prove(all, 'a', 'ws');
    expect(all.free('a', 'ws', 1)).toBe(1);
    all.take('a', 'ws');
    expect(all.free('a', 'ws', 1)).toBe(0);
  });

  it('are left for those that answer, however many hang', () => {
    const all = slots();
    prove(all, 'good', 'ws_good');
    for (let id = 0; id < 1_000; id += 1) takeAll(all, `hanging ${id}`, `ws_${id}`);
    expect(all.inFlight).toBe(50);
    expect(all.free('good', 'ws_good')).toBe(16);
  });

  it('are left for other workspaces by one whose receivers all hang', () => {
    const all = slots();
    for (let id = 0; id < 1_000; id += 1) takeAll(all, `hanging ${id}`, 'ws_1');
    expect(all.inFlight).toBe(40);
    expect(all.free('new', 'ws_2')).toBe(4);
  });

  it('have one left for a receiver that nobody knows, where another of its workspace hangs with all it may have', () => {
    const all = new EndpointSlots({ max: 16, perEndpoint: 8 });
    takeAll(all, 'hanging', 'ws');
    expect(all.inFlight).toBe(4);
    expect(all.free('unknown', 'ws')).toBe(1);
  });

  it('are left for other workspaces by one whose receivers all work', () => {
    const all = slots();
    for (let id = 0; id < 20; id += 1) prove(all, `good ${id}`, 'ws_1');
    for (let id = 0; id < 20; id += 1) takeAll(all, `good ${id}`, 'ws_1');
    expect(all.inFlight).toBe(75);
    expect(all.free('new', 'ws_2')).toBe(4);
  });

  it('come back, each once, also those of receivers that changed their mind meanwhile', () => {
    const all = slots();
    const given = [...takeAll(all, 'a', 'ws'), ...takeAll(all, 'b', 'ws')];
    given.forEach((giveBack, index) => giveBack(index % 2 === 0 ? 'good' : 'bad'));
    expect(all.inFlight).toBe(0);
    for (let id = 0; id < 1_000; id += 1) takeAll(all, `hanging ${id}`, `ws_${id}`);
    expect(all.inFlight).toBe(50);
  });

  it('of subscriptions that are gone are forgotten', () => {
    const all = slots();
    prove(all, 'a', 'ws');
    all.keep(() => false);
    expect(all.free('a', 'ws')).toBe(4);
  });

  it('say how many requests a receiver answers within a time, once it is known', () => {
    const all = slots();
    expect(all.within('a', 500)).toBe(0);
    for (let answered = 0; answered < 20; answered += 1) all.take('a', 'ws')('good', 50);
    expect(all.within('a', 500)).toBe(160); // sixteen at once, ten times
    for (let answered = 0; answered < 50; answered += 1) all.take('a', 'ws')('good', 500);
    expect(all.within('a', 500)).toBeLessThan(20);
    all.take('a', 'ws')('bad', 10);
    expect(all.within('a', 500)).toBe(0);
  });
});
