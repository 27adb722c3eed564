import { severities } from '@tocsin/contracts';
import { describe, expect, it } from 'vitest';
import {
  decide,
  defaultRcaSettings,
  type RcaCaps,
  type RcaHistory,
  type RcaOccasion,
  type RcaSettings,
} from './index.ts';

const opened: RcaOccasion = {
  outboundName: 'incident.created',
  status: 'open',
  severity: 'high',
  severityBefore: null,
};
const nothingYet: RcaHistory = { running: false, ofIncident: 0, ofWorkspaceLastHour: 0 };
const caps: RcaCaps = { perIncident: 3, perWorkspaceHour: 10 };

const verdict = (
  occasion: Partial<RcaOccasion> = {},
  { settings = {}, history = {} }: { settings?: Partial<RcaSettings>; history?: Partial<RcaHistory> } = {},
): string => {
  const decision = decide(
    { ...opened, ...occasion },
    { ...defaultRcaSettings, ...settings },
    { ...nothingYet, ...history },
    caps,
  );
  return decision.kind === 'request' ? decision.cause : decision.reason;
};

describe('an incident that opens', () => {
  it.each([
    ['critical', 'incident-opened'],
    ['high', 'incident-opened'],
    ['medium', 'incident-opened'],
    ['low', 'below-minimum-severity'],
    ['info', 'below-minimum-severity'],
  ] as const)('with severity %s: %s', (severity, expected) => expect(verdict({ severity })).toBe(expected));

  it('is investigated at any severity that its webhook asks for', () => {
    for (const minSeverity of severities)
      for (const severity of severities)
        expect(verdict({ severity }, { settings: { minSeverity } })).toBe(
          severities.indexOf(severity) <= severities.indexOf(minSeverity)
            ? 'incident-opened'
            : 'below-minimum-severity',
        );
  });

  it('is left alone where auto-trigger is off', () =>
    expect(verdict({}, { settings: { autoTrigger: false } })).toBe('auto-trigger-off'));
  it('is left alone while the workspace is at its cap', () =>
    expect([9, 10].map((ofWorkspaceLastHour) => verdict({}, { history: { ofWorkspaceLastHour } }))).toEqual([
      'incident-opened',
      'workspace-cap-reached',
    ]));
  it('has no cap where it is 0', () =>
    expect(
      decide(opened, defaultRcaSettings, { ...nothingYet, ofWorkspaceLastHour: 1e6 }, { ...caps, perWorkspaceHour: 0 })
        .kind,
    ).toBe('request'));
});

describe('an incident whose severity changes', () => {
  const raised = { outboundName: 'incident.updated', severityBefore: 'low' } as const;
  it('is investigated when it rises to the minimum', () =>
    expect(verdict({ ...raised, severity: 'medium' })).toBe('severity-raised'));
  it('is not, when it rises below the minimum', () =>
    expect(verdict({ ...raised, severityBefore: 'info', severity: 'low' })).toBe('below-minimum-severity'));
  it('is not, when it falls', () =>
    expect(verdict({ ...raised, severityBefore: 'critical', severity: 'high' })).toBe('not-a-trigger'));
  it('is not, when it has been investigated', () =>
    expect(verdict(raised, { history: { ofIncident: 1 } })).toBe('already-investigated'));
  it('is not, once it is resolved', () => expect(verdict({ ...raised, status: 'resolved' })).toBe('not-a-trigger'));
});

describe('an incident that reopens', () => {
  const reopened = { outboundName: 'incident.reopened', severityBefore: 'high' } as const;
  it('is investigated again', () =>
    expect(verdict(reopened, { history: { ofIncident: 1 } })).toBe('incident-reopened'));
  it('is not, while an investigation runs', () =>
    expect(verdict(reopened, { history: { ofIncident: 1, running: true } })).toBe('already-running'));
  it('is not, once it has had its share', () =>
    expect(verdict(reopened, { history: { ofIncident: 3 } })).toBe('incident-cap-reached'));
});

it.each(['incident.comment', 'incident.acknowledged', 'incident.resolved', 'incident.updated', null])(
  '%s alone triggers nothing',
  (outboundName) => expect(verdict({ outboundName, severityBefore: 'high' })).toBe('not-a-trigger'),
);
