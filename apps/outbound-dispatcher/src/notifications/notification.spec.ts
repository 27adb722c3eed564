import {
  eventTypeNames,
  eventTypeOf,
  type EventTypeName,
  type IncidentEventRecord,
  type PlatformEvent,
} from '@tocsin/contracts';
import { describe, expect, it } from 'vitest';
import { notificationKinds, ofDeadLetter, ofIncident, ofPlatformEvent } from './notification.ts';

const link = (path: string) => `https://tocsin.example${path}`;
const yes = () => true;
const eventOf = (
  name: EventTypeName,
  data: Record<string, unknown> = {},
  at = '2026-03-01T10:20:00.000Z',
): PlatformEvent => ({
  ...{
    id: `evt_${name}_${at}`,
    name,
    workspaceId: 'ws_1',
    source: '/tocsin',
    at,
    data: { ...eventTypeOf(name).example, ...data },
  },
});
const incident = {
  id: 'inc_1',
  number: 42,
  workspace_id: 'ws_1',
  title: 'Disk full',
  severity: 'high',
  services: ['db'],
  webhook_id: 'whk_1',
};
const opened = (changes: object = {}, name = 'incident.created') =>
  ({
    event: { id: 'evt_1', at: '2026-03-01T10:00:00.000Z', data: {} },
    incident: { ...incident, ...changes },
    outbound_name: name,
  }) as unknown as IncidentEventRecord;

describe('the bell', () => {
  it('rings for each thing that the product names', () => {
    const rung = [
      ...eventTypeNames.map((name) => ofPlatformEvent(eventOf(name), yes, link)?.kind),
      ofIncident(opened(), yes, link)?.kind,
      ofDeadLetter({ ...letter }, link)?.kind,
    ];
    expect([...new Set(rung)].filter((kind) => kind !== undefined).sort()).toEqual([...notificationKinds].sort());
  });

  it('tells of an incident only where its webhook wants it, and of its opening only', () => {
    expect(ofIncident(opened(), yes, link)).toMatchObject({
      ...{
        title: 'Incident #42 opened: Disk full',
        text: 'high, db',
        url: 'https://tocsin.example/api/v1/incidents/inc_1',
      },
    });
    expect(ofIncident(opened(), () => false, link)).toBeUndefined();
    expect(ofIncident(opened({ webhook_id: null }), yes, link)).toBeUndefined();
    expect(ofIncident(opened({}, 'incident.updated'), yes, link)).toBeUndefined();
  });

  it('tells of an investigation only where the webhook wants it', () => {
    const done = eventOf('conversation.completed', { webhook_id: 'whk_1' });
    expect(ofPlatformEvent(done, (id) => id === 'whk_1', link)).toMatchObject({ kind: 'investigation-finished' });
    expect(ofPlatformEvent(done, () => false, link)).toBeUndefined();
  });

  it('is one notification for deliveries of one receiver and hour, and for dead letters of one workspace and hour', () => {
    const idOf = (at: string, subscription = 'sub_1') =>
      ofPlatformEvent(eventOf('delivery.exhausted', { subscription_id: subscription }, at), yes, link)?.id;
    expect(idOf('2026-03-01T10:00:00.000Z')).toBe(idOf('2026-03-01T10:59:59.999Z'));
    expect(idOf('2026-03-01T10:00:00.000Z')).not.toBe(idOf('2026-03-01T11:00:00.000Z'));
    expect(idOf('2026-03-01T10:00:00.000Z')).not.toBe(idOf('2026-03-01T10:00:00.000Z', 'sub_2'));
    expect(ofDeadLetter({ ...letter }, link)?.id).toBe(ofDeadLetter({ ...letter, offset: '2' }, link)?.id);
    expect(ofDeadLetter({ ...letter, workspaceId: null }, link)).toBeUndefined();
  });

  it('keeps long texts short', () => {
    const long = ofIncident(opened({ title: 'x'.repeat(9_000) }), yes, link);
    expect(long?.title.length).toBe(500);
  });
});

const letter = {
  ...{
    service: 'normalizer',
    topic: 'webhook.received',
    partition: 0,
    offset: '1',
    reason: 'unrecognised-payload',
    detail: 'not ours',
  },
  ...{ at: '2026-03-01T10:20:00.000Z', workspaceId: 'ws_1', webhookId: null, receiptId: null },
};
