import type { Hypothesis } from '@tocsin/contracts';
import { describe, expect, it } from 'vitest';
import { changeRecommendation, recommendationStatuses, suggest, type Recommendation } from './index.ts';

const before: Recommendation = {
  ...{
    id: 'rec_1',
    workspaceId: 'ws_1',
    incidentId: null,
    title: 'Add a replica',
    description: '',
    potentialSavings: null,
  },
  ...{ effort: null, risk: 'low', status: 'pending', createdAt: '2026-03-01T10:00:00.000Z', version: 3 },
  ...{ updatedAt: '2026-03-01T10:00:00.000Z', createdBy: { kind: 'user', id: null, name: null } },
};
const at = '2026-03-02T10:00:00.000Z';

describe('a change of a recommendation', () => {
  it.each(recommendationStatuses.flatMap((from) => recommendationStatuses.map((to) => [from, to] as const)))(
    'from %s to %s is allowed, or told why not',
    (from, to) => {
      const { kind } = changeRecommendation({ ...before, status: from }, { status: to }, at);
      const stays = from === to;
      const never = (from === 'implemented' && !stays) || (from === 'dismissed' && to === 'implemented');
      expect(kind).toBe(stays ? 'unchanged' : never ? 'wrong-state' : 'changed');
    },
  );

  it('names what changed as answers do, and counts the version', () =>
    expect(changeRecommendation(before, { potentialSavings: 10, risk: 'low' }, at)).toEqual({
      ...{ kind: 'changed', event: 'recommendation.updated', changed: ['potential_savings'] },
      recommendation: { ...before, potentialSavings: 10, version: 4, updatedAt: at },
    }));

  it('is told as implemented only when it becomes so', () => {
    expect(changeRecommendation(before, { status: 'implemented' }, at)).toMatchObject({
      event: 'recommendation.implemented',
    });
    const done = { ...before, status: 'implemented' } as const;
    expect(changeRecommendation(done, { title: 'x', status: 'implemented' }, at)).toMatchObject({
      event: 'recommendation.updated',
    });
  });
});

describe('what an investigation suggests', () => {
  const hypothesis = (kind: Hypothesis['kind'], score: number, summary = kind as string): Hypothesis => ({
    ...{ rank: 1, kind, score, summary },
    evidence: [{ kind: 'change', id: 'chg_1', at: null, detail: 'deployment, version 2' }],
  });

  it('follows from strong hypotheses, one of each kind', () => {
    const made = suggest([
      hypothesis('change', 0.9),
      hypothesis('change', 0.8),
      hypothesis('recurrence', 0.5),
      hypothesis('unknown', 1),
    ]);
    expect(made.map(({ title, description }) => [title.split(':')[1]?.trim(), description])).toEqual([
      ['change', 'deployment, version 2'],
      ['recurrence', 'deployment, version 2'],
    ]);
  });

  it('is nothing where the suspicion is weak', () => expect(suggest([hypothesis('change', 0.49)])).toEqual([]));

  it('fits the catalogue however long the texts are', () => {
    const [made] = suggest([hypothesis('change', 0.9, `${'x'.repeat(12_000)}😀`)]);
    expect(made!.title.length).toBeLessThanOrEqual(500);
    expect(made!.title.isWellFormed()).toBe(true);
  });
});
