import { describe, expect, it } from 'vitest';
import { decide, isRejection, type IncidentCommand } from './decide.ts';
import { eventSamples } from './event-samples.ts';
import type { IncidentEvent } from './events.ts';
import { fold } from './evolve.ts';
import { initialState } from './state.ts';

const opened = eventSamples.IncidentOpened.v1;
const acknowledged = eventSamples.IncidentAcknowledged.v1;
const resolved = eventSamples.IncidentResolved.v1;
const context = {
  at: '2026-03-01T10:00:00.000Z',
  actor: { kind: 'api-key' as const, id: 'tsk_1', name: 'desk' },
  causeId: 'cmd_1',
  configRevision: 0,
};

function given(...events: IncidentEvent[]) {
  return {
    when: (command: IncidentCommand, expectedVersion?: number) => {
      const state = fold(initialState('inc_1'), events);
      const decided = decide(command, state, expectedVersion === undefined ? context : { ...context, expectedVersion });
      return {
        decided,
        types: isRejection(decided) ? [] : decided.map((event) => event.type),
        after: isRejection(decided) ? state : fold(state, decided),
      };
    },
  };
}

describe('no incident', () => {
  it('takes no command', () => {
    expect(given().when({ kind: 'acknowledge', note: null }).decided).toEqual({ rejected: 'no-such-incident' });
  });
});

describe('an open incident', () => {
  it('is acknowledged', () => {
    const { types, after } = given(opened).when({ kind: 'acknowledge', note: 'mine' });
    expect(types).toEqual(['IncidentAcknowledged']);
    expect(after).toMatchObject({
      status: 'acknowledged',
      acknowledgedAt: context.at,
      acknowledgedBy: context.actor,
      version: 2,
    });
  });

  it('is resolved with its open alerts', () => {
    const { after } = given(opened).when({ kind: 'resolve', note: null });
    expect(after).toMatchObject({
      status: 'resolved',
      openAlerts: 0,
      asOf: context.at,
      closedByVersion: 2,
      acknowledgedAt: null,
    });
  });

  it('refuses a command that has seen another version', () => {
    expect(given(opened).when({ kind: 'comment', text: 'x' }, 7).decided).toEqual({
      rejected: 'version-mismatch',
      expected: 7,
      version: 1,
    });
  });

  it('notes what an investigation found, but not that one was asked for', () => {
    const { rca_id, investigator, summary, hypotheses } = eventSamples.RcaNoted.v1.data;
    const rca = {
      ...{
        id: 'evt_r',
        rca_id,
        incident_id: 'inc_1',
        workspace_id: 'ws_1',
        at: context.at,
        investigator,
        incident_version: 1,
      },
      ...{ reason: null, summary, hypotheses, config_revision: 1 },
    };
    expect(given(opened).when({ kind: 'note-rca', rca: { ...rca, type: 'rca.completed' } }).types).toEqual([
      'RcaNoted',
    ]);
    expect(given(opened).when({ kind: 'note-rca', rca: { ...rca, type: 'rca.requested' } }).types).toEqual([]);
  });
});

describe('an acknowledged incident', () => {
  it('refuses to be acknowledged again and says in which state it is', () => {
    const { decided } = given(opened, acknowledged).when({ kind: 'acknowledge', note: null });
    expect(decided).toMatchObject({ rejected: 'wrong-state', status: 'acknowledged', version: 2, mergedInto: null });
  });

  it('keeps the time of the acknowledgement when it is resolved', () => {
    expect(given(opened, acknowledged).when({ kind: 'resolve', note: null }).after).toMatchObject({
      acknowledgedAt: acknowledged.at,
    });
  });
});

describe('a resolved incident', () => {
  it('takes comments, and nothing that needs it open', () => {
    expect(given(opened, resolved).when({ kind: 'comment', text: 'postmortem on Friday' }).types).toEqual([
      'CommentAdded',
    ]);
    expect(given(opened, resolved).when({ kind: 'resolve', note: null }).decided).toMatchObject({
      rejected: 'wrong-state',
      status: 'resolved',
    });
    expect(given(opened, resolved).when({ kind: 'acknowledge', note: null }).decided).toMatchObject({
      rejected: 'wrong-state',
    });
  });
});

describe('a snooze', () => {
  const until = '2026-03-01T12:00:00.000Z';
  const snoozed: IncidentEvent = { ...eventSamples.IncidentSnoozed.v1, data: { until, note: null } };
  const snooze = (to: string): IncidentCommand => ({ kind: 'snooze', until: to, note: null });

  it('puts an incident aside until its end, and ends by its own timer only', () => {
    const { after } = given(opened).when(snooze(until));
    expect(after).toMatchObject({ status: 'snoozed', snoozedUntil: until, snoozedByVersion: 2 });
    expect(given(opened, snoozed).when({ kind: 'end-snooze', snoozedByVersion: 2 })).toMatchObject({
      types: ['SnoozeEnded'],
      after: { status: 'open' },
    });
    const again = given(opened, snoozed, snoozed);
    expect(again.when({ kind: 'end-snooze', snoozedByVersion: 2 }).decided).toEqual({ rejected: 'stale-timer' });
    expect(again.when({ kind: 'end-snooze', snoozedByVersion: 3 }).types).toEqual(['SnoozeEnded']);
    expect(given(opened, snoozed, resolved).when({ kind: 'end-snooze', snoozedByVersion: 2 }).decided).toEqual({
      rejected: 'stale-timer',
    });
  });

  it('gives an acknowledged incident back acknowledged', () => {
    const { after } = given(opened, acknowledged, snoozed).when({ kind: 'unsnooze', note: null });
    expect(after).toMatchObject({ status: 'acknowledged', acknowledgedAt: acknowledged.at });
  });

  it.each([
    ['the past', '2026-03-01T09:59:59.000Z'],
    ['now', context.at],
    ['more than 90 days', '2026-07-01T00:00:00.000Z'],
    ['no instant', 'tomorrow'],
  ])('is refused until %s', (_name, to) => {
    expect(given(opened).when(snooze(to)).decided).toMatchObject({ rejected: 'bad-time' });
  });

  it('is refused for a resolved incident', () => {
    expect(given(opened, resolved).when(snooze(until)).decided).toMatchObject({ rejected: 'wrong-state' });
  });
});

describe('other commands of people', () => {
  it.each<[string, IncidentEvent[]]>([
    ['acknowledged', [acknowledged]],
    ['resolved', [resolved]],
    ['snoozed', [eventSamples.IncidentSnoozed.v1]],
    ['suppressed', [eventSamples.IncidentSuppressed.v1]],
  ])('reopen an incident that is %s, without what was said before', (_name, before) => {
    const { types, after } = given(opened, ...before).when({ kind: 'reopen', note: 'too soon' });
    expect(types).toEqual(['IncidentReopened']);
    expect(after).toMatchObject({ status: 'open' });
    expect(after).not.toHaveProperty('acknowledgedAt');
    expect(after).not.toHaveProperty('resolvedAt');
  });

  it('do not reopen what is open', () => {
    expect(given(opened).when({ kind: 'reopen', note: null }).decided).toMatchObject({ rejected: 'wrong-state' });
  });

  it('suppress once, and acknowledge what was suppressed', () => {
    const { after } = given(opened).when({ kind: 'suppress', note: null });
    expect(after).toMatchObject({ status: 'suppressed', suppressedAt: context.at });
    const suppressed = given(opened, eventSamples.IncidentSuppressed.v1);
    expect(suppressed.when({ kind: 'suppress', note: null }).decided).toMatchObject({ rejected: 'wrong-state' });
    expect(suppressed.when({ kind: 'acknowledge', note: null }).after).toMatchObject({ status: 'acknowledged' });
  });

  it('assign, and write nothing for who has it already', () => {
    const { types, after } = given(opened).when({ kind: 'assign', assignee: 'ada' });
    expect([types, after]).toMatchObject([['IncidentAssigned'], { assignee: 'ada' }]);
    expect(given(opened).when({ kind: 'assign', assignee: null }).decided).toEqual([]);
  });

  it('edit what differs only, the severity as an event of its own', () => {
    const { title } = opened.data;
    const edit = (fields: object, severity?: 'low' | 'medium'): IncidentCommand => ({ kind: 'edit', fields, severity });
    expect(given(opened).when(edit({ title, url: opened.data.url }, 'medium')).types).toEqual([]);
    const { decided, after } = given(opened).when(edit({ title, priority: 'P2', tags: ['a'] }, 'low'));
    expect(decided).toMatchObject([
      { type: 'IncidentEdited', data: { fields: { priority: 'P2', tags: ['a'] }, before: { priority: null } } },
      { type: 'SeverityChanged', data: { from: 'medium', to: 'low', policy: 'person' } },
    ]);
    expect(after).toMatchObject({ title, priority: 'P2', tags: ['a'], severity: 'low' });
  });
});

describe('custom fields', () => {
  const edit = (fields: object): IncidentCommand => ({ kind: 'edit', fields, severity: undefined });

  it('are changed one by one, taken away with null, and told with what was before', () => {
    const { decided, after } = given(opened).when(
      edit({ custom_fields: { rack: null, room: 2 }, incident_type: 'outage' }),
    );
    expect(decided).toMatchObject([
      {
        type: 'IncidentEdited',
        data: {
          fields: { custom_fields: { room: 2 }, incident_type: 'outage' },
          before: { custom_fields: { rack: 'b4' }, incident_type: null },
        },
      },
    ]);
    expect(after).toMatchObject({ customFields: { room: 2 }, incidentType: 'outage' });
    expect(after).not.toHaveProperty('custom_fields');
  });

  it('are no change where they say what is there', () => {
    expect(given(opened).when(edit({ custom_fields: { rack: 'b4', room: null } })).decided).toEqual([]);
  });
});

describe('a record in another system', () => {
  const link = { system: 'jira', id: 'OPS-7', url: null };
  const linked = eventSamples.ExternalLinkAdded.v1;

  it('is linked once, in any state, and stays when the state changes', () => {
    expect(given(opened, resolved).when({ kind: 'link', link }).types).toEqual(['ExternalLinkAdded']);
    expect(given(opened, linked).when({ kind: 'link', link }).types).toEqual([]);
    expect(given(opened, linked).when({ kind: 'link', link: { ...link, system: 'servicenow' } }).types).toHaveLength(1);
    expect(given(opened, linked).when({ kind: 'resolve', note: null }).after).toMatchObject({
      externalLinks: [linked.data],
    });
  });

  it('is not linked beside 50 others', () => {
    const many = Array.from({ length: 50 }, (_, index) => ({ ...linked, data: { ...link, id: `OPS-${index + 100}` } }));
    expect(given(opened, ...many).when({ kind: 'link', link }).types).toEqual([]);
    expect(given(opened, ...many.slice(1)).when({ kind: 'link', link }).types).toHaveLength(1);
  });
});
