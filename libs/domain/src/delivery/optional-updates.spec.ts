import { deriveId, type IncidentEventRecord } from '@tocsin/contracts';
import { describe, expect, it } from 'vitest';
import { outboundEventOf } from './incident-event.ts';
import { emptyLane, laneKey, lanesOf, planDeliveries, type OutboundEvent, type Subscriber } from './plan.ts';

const now = new Date('2026-03-01T10:00:00.000Z');
const incident = {
  id: 'inc_1',
  workspace_id: 'ws_1',
  title: 'Disk full',
  url: null,
  connector: 'prometheus',
  status: 'open',
};
const eventOf = (version: number, type: string, name: string, changed: string[] = []): OutboundEvent => {
  const event = { id: `evt_${version}`, type, at: now.toISOString(), version };
  const record = { event, incident, changed, sequence: version, outbound_name: `incident.${name}` };
  return outboundEventOf(record as unknown as IncidentEventRecord, (id) => `https://tocsin.example/${id}`)!;
};
const acknowledged = (version = 2) => eventOf(version, 'IncidentAcknowledged', 'acknowledged', ['status']);
const counted = (version = 2) => eventOf(version, 'OccurrencesCounted', 'updated', ['webhook_occurrence_count']);

const aSubscriber = (changes: Partial<Subscriber> = {}): Subscriber => ({
  ...{ id: 'sub_1', workspaceId: 'ws_1', revision: 3, events: ['*'], active: true, updateIntervalSeconds: 60 },
  ...{ firstDelaySeconds: 0, form: { key: 'c', rendering: { envelope: 'cloudthinker' } }, ...changes },
});
const planOf = (events: OutboundEvent[], subscriber: Subscriber, lane = emptyLane()) =>
  planDeliveries(events, () => [subscriber], new Map([[laneKey('sub_1', 'inc_1'), lane]]), now).planned;
const told = (events: OutboundEvent[], subscriber: Subscriber) =>
  planOf(events, subscriber).map(({ eventName, content }) => {
    const { type, id, data } = JSON.parse(content.body) as { type: string; id: string; data: { changed: string[] } };
    return { eventName, type, id, changed: data.changed };
  });

describe('legacy_updates', () => {
  const twice = [
    { eventName: 'incident.acknowledged', type: 'incident.acknowledged', id: 'evt_2', changed: ['status'] },
    {
      ...{ eventName: 'incident.updated', type: 'incident.updated', changed: ['status'] },
      id: deriveId('evt', 'evt_2', 'incident.updated'),
    },
  ];

  it('also tells what has a name of its own as updated, right behind it, each with an id of its own', () => {
    expect(told([acknowledged()], aSubscriber({ legacyUpdates: true }))).toEqual(twice);
    expect(told([acknowledged()], aSubscriber())).toEqual(twice.slice(0, 1));
  });

  it.each([
    ['IncidentSnoozed', 'snoozed'],
    ['IncidentSuppressed', 'suppressed'],
    ['IncidentReopened', 'reopened'],
  ])('does so for %s', (type, name) => {
    const names = told([eventOf(2, type, name)], aSubscriber({ legacyUpdates: true })).map(({ type: said }) => said);
    expect(names).toEqual([`incident.${name}`, 'incident.updated']);
  });

  it.each([
    ['IncidentOpened', 'created'],
    ['IncidentResolved', 'resolved'],
    ['CommentAdded', 'comment'],
    ['IncidentEdited', 'updated'],
  ])('does not for %s', (type, name) =>
    expect(told([eventOf(2, type, name)], aSubscriber({ legacyUpdates: true }))).toHaveLength(1),
  );

  it('is enough for a receiver that names updated only, once for each event', () => {
    const subscriber = aSubscriber({ legacyUpdates: true, events: ['incident.updated'] });
    expect(told([acknowledged()], subscriber)).toEqual(twice.slice(1));
    expect([...lanesOf([acknowledged()], () => [subscriber], new Set()).keys()]).toEqual(['sub_1 inc_1']);
    expect(planOf([acknowledged()], subscriber, { ...emptyLane(), lastSequence: 3 })).toEqual([]);
  });
});

describe('occurrences', () => {
  it('are told to those that ask for them, and need no lane for the others', () => {
    expect(planOf([counted()], aSubscriber())).toEqual([]);
    expect(lanesOf([counted()], () => [aSubscriber()], new Set()).size).toBe(0);
    const asking = aSubscriber({ occurrences: true });
    expect(told([counted()], asking)).toMatchObject([
      { type: 'incident.updated', changed: ['webhook_occurrence_count'] },
    ]);
    expect(lanesOf([counted()], () => [asking], new Set()).size).toBe(1);
  });

  it('are merged into one update like those of alerts', () => {
    const planned = planOf([counted(2), counted(3), counted(4)], aSubscriber({ occurrences: true }));
    expect(planned.map(({ coalesced, sequence }) => [coalesced, sequence])).toEqual([[true, 4]]);
  });
});

it('what is said of a subscription is not said to it', () => {
  const event = { ...acknowledged(), notTo: 'sub_1' };
  expect(planOf([event], aSubscriber())).toEqual([]);
  expect(planDeliveries([event], () => [aSubscriber({ id: 'sub_2' })], new Map(), now).planned).toHaveLength(1);
});
