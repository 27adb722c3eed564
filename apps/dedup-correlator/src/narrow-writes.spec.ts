import type { KeyHolder, KnownIncident } from '@tocsin/domain/correlation';
import { describe, expect, it } from 'vitest';
import { isAgain, isTouched, unansweredOf } from './narrow-writes.ts';

const holder: KeyHolder = {
  ...{ workspaceId: 'ws', scope: 'ws', webhookId: 'whk', dedupKey: 'k', resolveKey: 'k', incidentId: 'inc_1' },
  ...{ alertId: 'alr_1', lastAlertId: 'alr_1', firstAt: 1, lastAt: 1, lastTriggerAt: 1, firingKey: null },
  ...{ alertOpen: true, toggles: [], heldUntil: null },
};
const incident: KnownIncident = {
  ...{ workspaceId: 'ws', scope: 'ws', incidentId: 'inc_1', version: 1, openedAt: 1, lastAlertAt: 1, closedAt: null },
  ...{ services: ['db'], rollUpOf: null, facets: null, terms: ['any'] },
};

describe('what is written of a row', () => {
  it('is the occurrence, where nothing else of the key is new', () => {
    const again = { ...holder, lastAlertId: 'alr_2', lastAt: 2, lastTriggerAt: 2 };
    expect(isAgain(again, holder)).toBe(true);
    expect(isAgain(again, undefined)).toBe(false);
  });

  it.each<[keyof KeyHolder, Partial<KeyHolder>]>([
    ['resolveKey', { resolveKey: 'other' }],
    ['incidentId', { incidentId: null }],
    ['alertId', { alertId: 'alr_2' }],
    ['firstAt', { firstAt: 2 }],
    ['firingKey', { firingKey: 'f' }],
    ['alertOpen', { alertOpen: false }],
    ['toggles', { toggles: [2] }],
    ['heldUntil', { heldUntil: 2 }],
  ])('is all of the key where its %s is new', (_name, over) => {
    expect(isAgain({ ...holder, ...over }, holder)).toBe(false);
  });

  it('knows every field of a key', () => {
    const occurrence = ['workspaceId', 'scope', 'webhookId', 'dedupKey', 'lastAlertId', 'lastAt', 'lastTriggerAt'];
    const others = ['resolveKey', 'incidentId', 'alertId', 'firstAt', 'firingKey', 'alertOpen', 'toggles', 'heldUntil'];
    expect(Object.keys(holder).sort()).toEqual([...occurrence, ...others].sort());
  });

  it('is the time of an incident that is otherwise the same', () => {
    expect(isTouched({ ...incident, lastAlertAt: 2 }, incident)).toBe(true);
    expect(isTouched(incident, undefined)).toBe(false);
    const changes = [
      ...[{ version: 2 }, { openedAt: 2 }, { closedAt: 2 }, { services: ['db', 'api'] }, { terms: [] }],
      ...[{ rollUpOf: 'whk' }, { facets: {} as NonNullable<KnownIncident['facets']> }],
    ];
    for (const over of changes) expect(isTouched({ ...incident, ...over }, incident)).toBe(false);
    const known = ['workspaceId', 'scope', 'incidentId', 'lastAlertAt', ...changes.flatMap((one) => Object.keys(one))];
    expect(Object.keys(incident).sort()).toEqual(known.sort());
  });
});

describe('alerts that were taken as answered', () => {
  const alerts = ['a', 'b', 'c'].map((id) => ({ id, workspaceId: 'ws', scope: 'ws', receivedAt: 1 }));
  const processed = (...ids: string[]) =>
    ids.map((alertId) => ({ alertId, workspaceId: 'ws', scope: 'ws', receivedAt: 1 }));

  it('are released where no decision was taken', () => {
    expect(unansweredOf({ alerts }, { processed: [{ alertId: 'a' }] }, { processed: processed('c') })).toEqual(['b']);
    expect(unansweredOf({ alerts }, { processed: [] }, { processed: processed('a', 'b', 'c') })).toEqual([]);
  });
});
