import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Evidence, investigate, type OtherIncident, type RecentChange, titleKey } from './index.ts';

const OPENED = Date.parse('2026-11-21T10:00:00.000Z');
const MINUTE = 60_000;

const aChange = (fields: Partial<RecentChange> & { minutesBefore?: number } = {}): RecentChange => {
  const { minutesBefore = 10, ...rest } = fields;
  const change = {
    id: 'chg_1',
    kind: 'deployment',
    service: 'search',
    version: '4.2.0',
    environment: null,
    status: null,
    title: null,
    actor: null,
  } as const;
  return { ...change, at: OPENED - minutesBefore * MINUTE, ...rest };
};
const anIncident = (fields: Partial<OtherIncident> & { minutesBefore?: number } = {}): OtherIncident => {
  const { minutesBefore = 5, ...rest } = fields;
  const openedAt = OPENED - minutesBefore * MINUTE;
  return {
    id: 'inc_1',
    number: 1,
    title: 'Queue is full',
    severity: 'high',
    services: ['search'],
    openedAt,
    resolvedAt: null,
    ...rest,
  };
};
const evidence = (fields: Partial<Evidence> = {}): Evidence => ({
  incident: {
    id: 'inc_0',
    title: 'Latency of search over 2 s',
    severity: 'high',
    services: ['search'],
    openedAt: OPENED,
  },
  changes: [],
  around: [],
  past: [],
  neighbours: [],
  ...fields,
});
const kinds = (fields: Partial<Evidence>) => investigate(evidence(fields)).hypotheses.map(({ kind }) => kind);
const first = (fields: Partial<Evidence>) => investigate(evidence(fields)).hypotheses[0]!;

describe('with nothing recorded', () => {
  it('says so, twice, with what was searched', () => {
    const { summary, hypotheses } = investigate(evidence());
    expect(summary).toContain('Nothing recorded explains');
    expect(hypotheses.map(({ kind }) => kind)).toEqual(['unknown', 'unknown']);
    expect(hypotheses[1]!.evidence[0]!.detail).toContain('looked at 0 changes');
  });
});

describe('recent changes', () => {
  it('put the newest change of the same service first and name it', () => {
    const changes = [
      aChange({ id: 'chg_old', minutesBefore: 300 }),
      aChange({ id: 'chg_new', minutesBefore: 10, version: '4.2.1' }),
    ];
    expect(first({ changes }).evidence[0]!.id).toBe('chg_new');
    expect(first({ changes }).summary).toBe('deployment 4.2.1 on search, 10 min before the incident opened');
  });

  it('of a neighbour count less than of the service itself, of anybody else nothing', () => {
    const same = first({ changes: [aChange()] }).score;
    const neighbour = first({ changes: [aChange({ service: 'index' })], neighbours: ['Index'] }).score;
    expect(same).toBeGreaterThan(neighbour);
    expect(neighbour).toBeGreaterThan(0.1);
    expect(kinds({ changes: [aChange({ service: 'billing' })] })).toEqual(['unknown', 'unknown']);
  });

  it('after the incident are no cause', () =>
    expect(kinds({ changes: [aChange({ minutesBefore: -1 })] })).not.toContain('change'));
  it('lose half of their weight in two hours', () =>
    expect(first({ changes: [aChange({ minutesBefore: 120 })] }).score).toBeCloseTo(
      first({ changes: [aChange({ minutesBefore: 0 })] }).score / 2,
      3,
    ));
  it('that failed weigh more', () =>
    expect(first({ changes: [aChange({ status: 'failed' })] }).score).toBeGreaterThan(
      first({ changes: [aChange()] }).score,
    ));
  it('of any service are leads, weak ones, where the incident names none', () => {
    const incident = { ...evidence().incident, services: [] };
    expect(first({ incident, changes: [aChange({ service: 'billing', minutesBefore: 0 })] })).toMatchObject({
      kind: 'change',
      score: 0.35,
    });
  });
});

describe('other incidents', () => {
  it('that opened shortly before on the same service are related, earlier more than later', () => {
    expect(first({ around: [anIncident()] })).toMatchObject({
      kind: 'related-alert',
      evidence: [{ kind: 'incident', id: 'inc_1' }],
    });
    expect(first({ around: [anIncident({ minutesBefore: 5 })] }).score).toBeGreaterThan(
      first({ around: [anIncident({ minutesBefore: -5 })] }).score,
    );
  });

  it('with the same title again and again are a recurrence', () => {
    const past = [1, 2, 3].map((days) =>
      anIncident({ id: `inc_${days}`, title: 'Latency of search over 3 s', minutesBefore: days * 1440 }),
    );
    expect(first({ past })).toMatchObject({ kind: 'recurrence', summary: expect.stringContaining('3 times') });
    expect(first({ past }).evidence).toHaveLength(3);
  });

  it('that read alike are similar, with how they ended', () => {
    const other = anIncident({ title: 'Latency of search over SLO', minutesBefore: 3 * 1440, number: 17 });
    expect(first({ past: [{ ...other, resolvedAt: other.openedAt + 30 * MINUTE }] })).toMatchObject({
      kind: 'similar-incident',
      summary: 'Reads like incident #17 "Latency of search over SLO" of 3 days ago (resolved after 30 min)',
    });
  });
  it('that have nothing in common are not', () =>
    expect(kinds({ past: [anIncident({ title: 'Disk full', services: ['db'], minutesBefore: 999 })] })).toEqual([
      'unknown',
      'unknown',
    ]));
});

it.each([
  ['Disk 91% full on db-1', 'disk 87% FULL on db-2', true],
  ['Disk full on db-1', 'Queue full on db-1', false],
])('titles %s and %s are the same: %s', (a, b, same) => expect(titleKey(a) === titleKey(b)).toBe(same));

it('gives 2 to 5 ranked hypotheses with evidence, the same for the same evidence in any order', () => {
  const minutes = fc.integer({ min: -60, max: 2000 });
  const service = fc.constantFrom('search', 'index', 'billing', '');
  const changes = fc.array(fc.record({ minutesBefore: minutes, service, id: fc.uuid() }).map(aChange), {
    maxLength: 12,
  });
  const incidents = fc.array(
    fc
      .record({
        minutesBefore: minutes,
        id: fc.uuid(),
        title: fc.constantFrom('Latency of search', 'Disk full', ''),
        services: fc.array(service, { maxLength: 2 }),
      })
      .map(anIncident),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(changes, incidents, incidents, fc.array(service, { maxLength: 3 }), (c, around, past, neighbours) => {
      const given = evidence({ changes: c, around, past, neighbours });
      const { hypotheses } = investigate(given);
      expect(hypotheses.length).toBeGreaterThanOrEqual(2);
      expect(hypotheses.length).toBeLessThanOrEqual(5);
      expect(hypotheses.map(({ rank }) => rank)).toEqual(hypotheses.map((_, index) => index + 1));
      for (const { score, evidence: proof } of hypotheses)
        expect(score >= 0 && score <= 1 && proof.length > 0).toBe(true);
      for (const [index, { score }] of hypotheses.entries())
        expect(score).toBeLessThanOrEqual(hypotheses[index - 1]?.score ?? 1);
      const shuffled = evidence({
        changes: [...c].reverse(),
        around: [...around].reverse(),
        past: [...past].reverse(),
        neighbours,
      });
      expect(investigate(shuffled).hypotheses.map(({ kind, score }) => [kind, score])).toEqual(
        hypotheses.map(({ kind, score }) => [kind, score]),
      );
    }),
  );
});
