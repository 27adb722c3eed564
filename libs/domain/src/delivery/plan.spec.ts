import { describe, expect, it } from 'vitest';
import {
  emptyLane,
  laneKey,
  lanesOf,
  planDeliveries,
  type Lane,
  type OutboundEvent,
  type Plan,
  type Subscriber,
} from './plan.ts';
import { matchesEvent } from './match-event.ts';

const now = new Date('2026-03-01T10:00:00.000Z');
const later = (seconds: number): Date => new Date(now.getTime() + seconds * 1000);

const content = (body: string) => ({ body, contentType: 'application/json', headers: {} });
const aSubscriber = (changes: Partial<Subscriber> = {}): Subscriber => ({
  ...{
    id: 'sub_1',
    workspaceId: 'ws_1',
    revision: 3,
    events: ['*'],
    updateIntervalSeconds: 60,
    firstDelaySeconds: 0,
    form: { key: 'cloudthinker', rendering: { envelope: 'cloudthinker' as const } },
  },
  ...changes,
});
const anEvent = (
  sequence: number,
  name = 'incident.acknowledged',
  changes: Partial<OutboundEvent> = {},
): OutboundEvent => ({
  ...{
    id: `evt_${sequence}`,
    name,
    workspaceId: 'ws_1',
    incidentId: 'inc_1',
    sequence,
    at: now,
    changed: [],
    coalesces: false,
  },
  render: (changed) => content(`${sequence}:${changed.join(',')}`),
  ...changes,
});
const anUpdate = (sequence: number, changed: string[]): OutboundEvent =>
  anEvent(sequence, 'incident.updated', { coalesces: true, changed });

const planOf = (events: OutboundEvent[], subscriber: Subscriber = aSubscriber(), lane: Lane = emptyLane()): Plan =>
  planDeliveries(events, () => [subscriber], new Map([[laneKey(subscriber.id, 'inc_1'), lane]]), now);
const laneAfter = (plan: Plan): Lane => plan.lanes.get(laneKey('sub_1', 'inc_1'))!.lane;

describe('an event list', () => {
  it.each<[string[], string, boolean]>([
    [['*'], 'incident.created', true],
    [['incident.*'], 'incident.created', true],
    [['incident.created'], 'incident.created', true],
    [['incident.created'], 'incident.updated', false],
    [['incident.*'], 'incidents.created', false],
    [['finding.*', 'incident.updated'], 'incident.updated', true],
    [[], 'incident.created', false],
  ])('%j takes %s: %s', (patterns, name, takes) => expect(matchesEvent(patterns, name)).toBe(takes));
});

describe('an idle lane', () => {
  it('sends its first event at once, and what follows behind it', () => {
    const { planned } = planOf([anEvent(1, 'incident.created'), anEvent(2)]);
    expect(planned.map(({ eventId, head, dueAt }) => [eventId, head, dueAt])).toEqual([
      ['evt_1', true, now],
      ['evt_2', false, now],
    ]);
  });

  it('derives the id of a delivery from its event and subscription', () => {
    const [first] = planOf([anEvent(1)]).planned;
    const [again] = planOf([anEvent(1)]).planned;
    const [other] = planOf([anEvent(1)], aSubscriber({ id: 'sub_2' })).planned;
    expect(first?.id).toBe(again?.id);
    expect(first?.id).not.toBe(other?.id);
  });

  it('waits for the first delay of the subscription', () =>
    expect(planOf([anEvent(1)], aSubscriber({ firstDelaySeconds: 30 })).planned[0]?.dueAt).toEqual(later(30)));
});

describe('a lane', () => {
  it('plans nothing for an event that it has seen', () => {
    const plan = planOf([anEvent(4), anEvent(5)], aSubscriber(), { ...emptyLane(), lastSequence: 5 });
    expect(plan).toMatchObject({ planned: [], changed: [] });
    expect(plan.lanes.size).toBe(0);
  });

  it('keeps its order behind an unfinished delivery', () =>
    expect(
      planOf([anEvent(2)], aSubscriber(), { ...emptyLane(), lastSequence: 1, unfinished: true }).planned[0]?.head,
    ).toBe(false));

  it('is not changed by planning, so that a repeated decision is the same', () => {
    const lane: Lane = {
      lastSequence: 1,
      lastUpdateAt: null,
      unfinished: true,
      openUpdate: { id: 'dlv_open', changed: ['alerts'], dueAt: later(40) },
    };
    const before = structuredClone(lane);
    const first = planOf([anUpdate(2, ['tags']), anEvent(3)], aSubscriber(), lane);
    expect(lane).toEqual(before);
    expect(planOf([anUpdate(2, ['tags']), anEvent(3)], aSubscriber(), lane).changed).toEqual(first.changed);
  });
});

describe('updates that alerts cause', () => {
  it('go at once when there was none within the interval, and merge while the row waits', () => {
    const plan = planOf([anUpdate(1, ['alerts']), anUpdate(2, ['alerts', 'severity'])]);
    expect(plan.planned).toHaveLength(1);
    expect(plan.planned[0]).toMatchObject({
      eventId: 'evt_2',
      sequence: 2,
      content: content('2:alerts,severity'),
      dueAt: now,
      mergeable: true,
      coalesced: true,
    });
    expect(laneAfter(plan)).toMatchObject({ lastSequence: 2, lastUpdateAt: now });
  });

  it('wait until the interval after the last one has passed', () => {
    const lane: Lane = { ...emptyLane(), lastSequence: 1, lastUpdateAt: later(-20) };
    expect(planOf([anUpdate(2, ['alerts'])], aSubscriber(), lane).planned[0]?.dueAt).toEqual(later(40));
  });

  it('merge into a stored row that nobody has claimed', () => {
    const lane: Lane = {
      lastSequence: 2,
      lastUpdateAt: later(40),
      unfinished: true,
      openUpdate: { id: 'dlv_open', changed: ['alerts'], dueAt: later(40) },
    };
    const plan = planOf([anUpdate(3, ['tags']), anUpdate(4, ['alerts'])], aSubscriber(), lane);
    expect(plan.planned).toEqual([]);
    expect(plan.changed).toEqual([
      {
        id: 'dlv_open',
        eventId: 'evt_4',
        sequence: 4,
        changed: ['alerts', 'tags'],
        content: content('4:alerts,tags'),
        dueAt: later(40),
        mergeable: true,
      },
    ]);
  });

  it('are released by any other event of the incident, which follows them', () => {
    const lane: Lane = {
      lastSequence: 2,
      lastUpdateAt: later(40),
      unfinished: true,
      openUpdate: { id: 'dlv_open', changed: ['alerts'], dueAt: later(40) },
    };
    const plan = planOf(
      [anUpdate(3, ['tags']), anEvent(4, 'incident.resolved'), anUpdate(5, ['alerts'])],
      aSubscriber(),
      lane,
    );
    expect(plan.changed).toEqual([
      {
        id: 'dlv_open',
        eventId: 'evt_3',
        sequence: 3,
        changed: ['alerts', 'tags'],
        content: content('3:alerts,tags'),
        dueAt: now,
        mergeable: false,
      },
    ]);
    expect(plan.planned.map(({ eventId, head, dueAt, mergeable }) => [eventId, head, dueAt, mergeable])).toEqual([
      ['evt_4', false, now, false],
      ['evt_5', false, later(60), true], // a minute after the one that was just released
    ]);
  });

  it('are released also by an event that the subscription does not take', () => {
    const lane: Lane = {
      lastSequence: 2,
      lastUpdateAt: later(40),
      unfinished: true,
      openUpdate: { id: 'dlv_open', changed: ['alerts'], dueAt: later(40) },
    };
    const plan = planOf([anEvent(3)], aSubscriber({ events: ['incident.updated'] }), lane);
    expect(plan.planned).toEqual([]);
    expect(plan.changed).toEqual([
      { id: 'dlv_open', eventId: null, sequence: null, changed: null, content: null, dueAt: now, mergeable: false },
    ]);
  });

  it('are sent each where the interval is 0', () =>
    expect(
      planOf([anUpdate(1, ['alerts']), anUpdate(2, ['alerts'])], aSubscriber({ updateIntervalSeconds: 0 })).planned.map(
        ({ mergeable }) => mergeable,
      ),
    ).toEqual([false, false]));
});

describe('subscriptions', () => {
  it('that want other events get nothing', () => {
    expect(planOf([anEvent(1)], aSubscriber({ events: ['incident.created'] })).planned).toEqual([]);
  });

  it('are asked by workspace, and lanes are needed for those that take part', () => {
    const byWorkspace = (id: string): Subscriber[] =>
      id === 'ws_1'
        ? [
            aSubscriber(),
            aSubscriber({ id: 'sub_2', events: ['finding.*'] }),
            aSubscriber({ id: 'sub_3', idle: { reason: 'subscription-paused', keeps: false } }),
            aSubscriber({ id: 'sub_4', pulls: true }),
          ]
        : [];
    const lanes = lanesOf(
      [anEvent(1), anEvent(2), anEvent(3, 'incident.created', { workspaceId: 'ws_2' })],
      byWorkspace,
      new Set(),
    );
    expect([...lanes.values()]).toEqual([['sub_1', 'inc_1', 'ws_1']]);
  });

  it('whose filters leave an event out need its lane only to release an update there', () => {
    const filtered = aSubscriber({ accepts: () => false });
    const lanesWith = (open: string[]) => [...lanesOf([anEvent(1)], () => [filtered], new Set(open)).keys()];
    expect(lanesWith([])).toEqual([]);
    expect(lanesWith(['sub_1 inc_1'])).toEqual(['sub_1 inc_1']);
  });

  it('that are paused have their events logged, and keep no order', () => {
    const idle = { reason: 'subscription-paused', keeps: false } as const;
    const { planned, lanes } = planOf([anEvent(1), anUpdate(2, ['alerts'])], aSubscriber({ idle }));
    expect(planned.map(({ hold, mergeable, coalesced }) => [hold, mergeable, coalesced])).toEqual([
      [{ kind: 'skipped', reason: 'subscription-paused' }, false, false],
      [{ kind: 'skipped', reason: 'subscription-paused' }, false, false],
    ]);
    expect(lanes.size).toBe(0);
  });

  it('that keep their events while idle have them in the order of the incident, unmerged', () => {
    const idle = { reason: 'subscription-disabled', keeps: true } as const;
    const { planned } = planOf([anEvent(1), anUpdate(2, ['alerts']), anUpdate(3, ['alerts'])], aSubscriber({ idle }));
    expect(planned.map(({ sequence, hold, head, mergeable }) => [sequence, hold?.kind, head, mergeable])).toEqual([
      [1, 'retained', true, false],
      [2, 'retained', false, false],
      [3, 'retained', false, false],
    ]);
  });

  it('that fetch have every event in the feed, merged with no other', () => {
    const { planned, lanes } = planOf(
      [anEvent(1), anUpdate(2, ['alerts']), anUpdate(3, ['alerts'])],
      aSubscriber({ pulls: true }),
    );
    expect(planned.map(({ sequence, hold, mergeable }) => [sequence, hold, mergeable])).toEqual([
      [1, { kind: 'feed' }, false],
      [2, { kind: 'feed' }, false],
      [3, { kind: 'feed' }, false],
    ]);
    expect(lanes.size).toBe(0);
  });

  it('that want no order have deliveries of one incident that do not wait for each other', () => {
    const { planned } = planOf([anEvent(1), anEvent(2)], aSubscriber({ ordered: false }));
    expect(planned.map(({ head }) => head)).toEqual([true, true]);
  });

  it('get events without an incident in no order', () => {
    const plan = planOf([
      anEvent(0, 'finding.created', { incidentId: null, sequence: null, id: 'evt_a' }),
      anEvent(0, 'finding.created', { incidentId: null, sequence: null, id: 'evt_b' }),
    ]);
    expect(plan.planned.map(({ head }) => head)).toEqual([true, true]);
  });
});

describe('what an alert that flaps does', () => {
  const held = (sequence: number, name: string, changes: Partial<OutboundEvent> = {}): OutboundEvent =>
    anEvent(sequence, name, { holdUntil: later(300), ...changes });
  const stored = (name: string, lane: Partial<Lane> = {}): Lane => ({
    ...{ ...emptyLane(), lastSequence: 2, unfinished: true },
    openUpdate: { id: 'dlv_held', changed: ['status'], dueAt: later(200), name },
    ...lane,
  });

  it('is told once when the hold ends: as what it was last', () => {
    const plan = planOf([
      held(1, 'incident.reopened'),
      held(2, 'incident.updated', { coalesces: true, changed: ['alerts'] }),
      held(3, 'incident.updated', { coalesces: true, changed: ['alerts'] }),
      held(4, 'incident.resolved', { changed: ['status'] }),
    ]);
    expect(plan.planned).toHaveLength(1);
    expect(plan.planned[0]).toMatchObject({
      ...{ eventId: 'evt_4', eventName: 'incident.resolved', content: content('4:alerts,status') },
      ...{ dueAt: later(300), mergeable: true, coalesced: true },
    });
  });

  it('joins what is stored and waits already, whose end stays', () => {
    const { planned, changed } = planOf([held(3, 'incident.reopened')], aSubscriber(), stored('incident.resolved'));
    expect(planned).toEqual([]);
    expect(changed).toEqual([
      {
        ...{ id: 'dlv_held', eventId: 'evt_3', eventName: 'incident.reopened', sequence: 3, changed: ['status'] },
        ...{ content: content('3:status'), dueAt: later(200), mergeable: true },
      },
    ]);
  });

  it('does not let an update replace the news of a state', () => {
    const update = held(3, 'incident.updated', { coalesces: true, changed: ['alerts'] });
    expect(planOf([update], aSubscriber(), stored('incident.reopened')).changed).toMatchObject([
      { eventId: null, content: null, changed: ['status', 'alerts'], dueAt: later(200) },
    ]);
  });

  it('goes at once before what a person does', () => {
    const { planned, changed } = planOf(
      [held(1, 'incident.reopened'), anEvent(2, 'incident.acknowledged')],
      aSubscriber(),
    );
    expect(changed).toEqual([]);
    expect(planned.map(({ eventName, dueAt, mergeable }) => [eventName, dueAt, mergeable])).toEqual([
      ['incident.reopened', now, false],
      ['incident.acknowledged', now, false],
    ]);
  });

  it('does not wait in an update that is due before: that one goes, and it opens one of its own', () => {
    const open = { id: 'dlv_open', changed: ['alerts'], dueAt: later(40), name: 'incident.updated' };
    const lane: Lane = { lastSequence: 2, lastUpdateAt: later(40), unfinished: true, openUpdate: open };
    const plan = planOf([held(3, 'incident.resolved')], aSubscriber(), lane);
    expect(plan.changed).toMatchObject([{ id: 'dlv_open', dueAt: now, mergeable: false }]);
    expect(plan.planned).toMatchObject([{ eventName: 'incident.resolved', dueAt: later(300), mergeable: true }]);
  });

  it('goes earlier with the news of an alert that does not flap', () => {
    const lane = stored('incident.updated', { lastUpdateAt: later(-20) });
    const plan = planOf([anUpdate(3, ['tags'])], aSubscriber(), lane);
    expect(plan.changed).toMatchObject([{ id: 'dlv_held', dueAt: later(40), changed: ['status', 'tags'] }]);
    expect(laneAfter(plan).lastUpdateAt).toEqual(later(40));
  });

  it('is held for those, too, who want each update by itself', () => {
    const each = aSubscriber({ updateIntervalSeconds: 0 });
    const update = held(1, 'incident.updated', { coalesces: true, changed: ['alerts'] });
    expect(planOf([update, held(2, 'incident.resolved')], each).planned).toMatchObject([
      { eventName: 'incident.resolved', dueAt: later(300) },
    ]);
  });

  it('is not held once the hold is over', () =>
    expect(planOf([held(1, 'incident.resolved', { holdUntil: now })]).planned).toMatchObject([
      { dueAt: now, mergeable: false },
    ]));
});
