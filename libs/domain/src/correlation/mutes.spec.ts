import type { ConditionDocument, MuteBody, MuteDocument, Schedule } from '@tocsin/contracts';
import { describe, expect, it } from 'vitest';
import type { CorrelationConfig } from './correlate.ts';
import { compileMute } from './mutes.ts';
import { aConfig, aFact, alertOf, anAlert, minute, openedBy, Scenario } from './scenario.ts';
import { surroundingsOf, withSurroundings } from './surroundings.ts';

const disk: ConditionDocument = { field: 'title', operator: 'starts_with', value: 'Disk' };
const schedule = (from: number, to: number): Schedule => ({
  ...{ from: minute(from), to: minute(to), timeZone: 'UTC', recurrence: null },
});
const body = (matchers: ConditionDocument, when: Schedule): MuteBody => ({
  ...{ name: 'known', comment: 'we know', createdBy: { id: 'key', name: 'Ada' }, matchers, schedule: when },
});
const aSilence = (
  matchers: ConditionDocument = disk,
  when = schedule(10, 20),
  more: Partial<MuteDocument> = {},
): MuteDocument => ({
  ...{ kind: 'silence', id: 'sil_a', revision: 12, workspaceId: 'ws', deleted: false, body: body(matchers, when) },
  ...more,
});
const aWindow = (matchers: ConditionDocument = disk, when = schedule(10, 20)): MuteDocument =>
  aSilence(matchers, when, { kind: 'maintenance-window', id: 'mnt_a', revision: 13 });

/** A webhook's configuration in a workspace with these. */
const within = (documents: MuteDocument[], own: CorrelationConfig = aConfig()): CorrelationConfig =>
  withSurroundings(
    own,
    surroundingsOf(
      undefined,
      documents.flatMap((one) => compileMute(one) ?? []),
      undefined,
    ),
  );
const silenced = (...documents: MuteDocument[]) => new Scenario(within(documents));

describe('a silence', () => {
  it('keeps an alert that matches from opening anything, by the time of its receipt, and says which and why', () => {
    const scene = silenced(aSilence());
    expect(scene.alert(anAlert('before', 9)).decision.kind).toBe('opened');
    const { decision, why } = scene.alert(anAlert('during', 10));
    expect(decision).toEqual({ kind: 'recorded', alertId: alertOf('during'), effect: 'recorded', mutedBy: 'silence' });
    expect(why).toMatchObject({ reason: 'silenced', configRevision: 12 });
    expect(why.tried.find(({ step }) => step === 'silence')).toEqual({
      step: 'silence',
      result: 'hit',
      evidence: {
        ...{ id: 'sil_a', name: 'known', comment: 'we know', revision: 12 },
        ...{ from: minute(10), to: minute(20), receivedAt: minute(10) },
        conditions: [
          {
            ...{ path: '', field: 'title', operator: 'starts_with', value: 'Disk' },
            of: 'alert',
            found: ['Disk is full'],
          },
        ],
      },
    });
    expect(scene.alert(anAlert('after', 20)).decision.kind).toBe('opened');
  });

  it('does not match another alert, and says which condition failed', () => {
    const scene = silenced(aSilence());
    const { decision, why } = scene.alert(anAlert('cpu', 12, { title: 'CPU is hot' }));
    expect(decision.kind).toBe('opened');
    expect(why.tried.find(({ step }) => step === 'silence')).toMatchObject({
      result: 'miss',
      detail: 'no-match',
      evidence: {
        active: 1,
        nearest: { id: 'sil_a', held: 0, of: 1, failed: [{ field: 'title', found: ['CPU is hot'] }] },
      },
    });
  });

  it('lets resolves pass, of what is open and of what it kept', () => {
    const scene = silenced(aSilence()).given(anAlert('open', 1, { key: 'a' }), anAlert('kept', 11, { key: 'b' }));
    const resolve = (key: string) => scene.alert(anAlert(`end of ${key}`, 12, { key, status: 'resolved' })).decision;
    expect(resolve('a')).toEqual({ kind: 'resolved', incidentId: openedBy('open'), alertIds: [alertOf('open')] });
    expect(resolve('b')).toEqual({ kind: 'recorded', alertId: alertOf('kept'), effect: 'resolved' });
  });

  it('leaves repeats of what is open: those count on their incident', () => {
    const scene = silenced(aSilence()).given(anAlert('open', 1, { key: 'a' }));
    expect(scene.alert(anAlert('again', 12, { key: 'a' })).decision).toMatchObject({
      ...{ kind: 'deduplicated', incidentId: openedBy('open') },
    });
  });

  it('does not let a closed incident reopen', () => {
    const scene = silenced(aSilence()).given(
      anAlert('open', 1, { key: 'a' }),
      aFact(openedBy('open'), 2, 5, { kind: 'closed' }, ['a']),
    );
    expect(scene.alert(anAlert('again', 12, { key: 'a' })).decision).toMatchObject({
      ...{ kind: 'recorded', effect: 'recorded', mutedBy: 'silence' },
    });
  });

  it('counts repeats of what it kept; once it is over the next one opens, and takes the key over', () => {
    const scene = silenced(aSilence()).given(anAlert('first', 11, { key: 'a' }));
    const again = scene.alert(anAlert('second', 15, { key: 'a' }));
    expect(again.decision).toEqual({
      ...{ kind: 'recorded', alertId: alertOf('first'), effect: 'repeated', mutedBy: 'silence' },
    });
    expect(again.why.reason).toBe('silenced');
    expect(scene.alert(anAlert('third', 21, { key: 'a' })).decision).toEqual({
      ...{ kind: 'opened', incidentId: openedBy('third'), supersedes: alertOf('first') },
    });
  });

  it('comes before open_when, and rules are not asked', () => {
    const never = { field: 'title', operator: 'equals', value: 'never' } as const;
    const openWhen = { ...aConfig(), openWhen: compileMute(aSilence(never))!.condition };
    const { why } = new Scenario(within([aSilence()], openWhen)).alert(anAlert('a', 12));
    expect(why.reason).toBe('silenced');
    expect(why.tried.map(({ step }) => step)).toEqual(['processed', 'order', 'dedup', 'silence']);
  });

  it('that comes back every day holds in each of its periods', () => {
    const daily: Schedule = {
      ...schedule(10, 20),
      recurrence: { frequency: 'daily', interval: 1, weekdays: [], monthDays: [], until: null },
    };
    const scene = silenced(aSilence(disk, daily));
    const kindAt = (at: number) => scene.alert(anAlert(`at ${at}`, at)).decision.kind;
    const day = 24 * 60;
    expect([15, 25, day + 9, day + 10, day + 19, day + 20].map(kindAt)).toEqual([
      ...['recorded', 'opened', 'opened', 'recorded', 'recorded', 'opened'],
    ]);
  });

  it('of which the document cannot be read mutes nothing', () => {
    const broken = aSilence({ field: 'title', operator: 'like', value: 'x' } as unknown as ConditionDocument);
    expect(compileMute(broken)).toBeNull();
    expect(silenced(broken).alert(anAlert('a', 12)).decision.kind).toBe('opened');
  });
});

describe('a maintenance window', () => {
  it('is asked before silences, and is a reason of its own', () => {
    const { decision, why } = silenced(aSilence(), aWindow()).alert(anAlert('a', 12));
    expect(decision).toMatchObject({ mutedBy: 'maintenance-window' });
    expect(why).toMatchObject({ reason: 'maintenance', configRevision: 13 });
    expect(why.tried.at(-1)).toMatchObject({ step: 'maintenance-window', evidence: { id: 'mnt_a', revision: 13 } });
  });

  it('that is not running is said, and the silence behind it is asked', () => {
    const { why } = silenced(aSilence(), aWindow(disk, schedule(30, 40))).alert(anAlert('a', 12));
    expect(why.tried.slice(-2)).toMatchObject([
      { step: 'maintenance-window', result: 'miss', detail: 'none-active', evidence: { of: 1 } },
      { step: 'silence', result: 'hit' },
    ]);
  });
});
