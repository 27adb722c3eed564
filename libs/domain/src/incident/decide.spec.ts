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
    expect(decided).toEqual({ rejected: 'wrong-state', status: 'acknowledged', version: 2 });
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
