import type { NormalizedAlert, WebhookBody } from '@tocsin/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alertOf, anAlert, minute, SCOPE, WEBHOOK } from '../correlation/scenario.ts';
import { compare } from './compare.ts';
import { configurationOf } from './configuration.ts';
import { Deadlines } from './deadlines.ts';
import { newWebhook, readConfigurationFile, withSettings } from './read-settings.ts';
import type { WebhookSettings } from './settings-schema.ts';
import { Simulation } from './simulation.ts';

const bodyWith = (settings: WebhookSettings): WebhookBody => withSettings(newWebhook('shop', 'generic'), settings);
const under = (settings: WebhookSettings = {}): Simulation =>
  new Simulation(configurationOf({ webhooks: [{ id: WEBHOOK, revision: 1, body: bodyWith(settings) }] }));
function compared(alerts: readonly NormalizedAlert[], now: WebhookSettings, proposed: WebhookSettings) {
  const [before, after] = [under(now), under(proposed)];
  for (const alert of alerts) {
    before.alert(alert);
    after.alert(alert);
  }
  return compare(before, after);
}
const sameTag: WebhookSettings = {
  correlation_rules: {
    rules: [{ name: 'Same tag', conditions: { field: 'tags', operator: 'intersects', value: [] } }],
  },
};
const onlySevere: WebhookSettings = { open_when: { field: 'severity', operator: 'in', value: ['critical', 'high'] } };
const alerts = [
  anAlert('a', 0, { tags: ['x'] }),
  anAlert('b', 60, { tags: ['x'] }),
  anAlert('c', 120, { tags: ['y'], severity: 'low' }),
  anAlert('d', 121, { key: 'key-c', tags: ['y'] }),
];

describe('a comparison', () => {
  it('of a configuration with itself finds nothing, whatever comes', () =>
    fc.assert(
      fc.property(
        fc.array(fc.record({ key: fc.constantFrom('k', 'l'), tag: fc.constantFrom('x', 'y'), pause: fc.nat(90) })),
        (steps) => {
          let at = 0;
          const list = steps.map(({ key, tag, pause }, index) =>
            anAlert(`r${index}`, (at += pause), { key, tags: [tag] }),
          );
          expect(compared(list, sameTag, sameTag)).toMatchObject({ alerts: list.length, groups: [] });
        },
      ),
    ));

  it('says what joins, and by which decision', () => {
    const { groups, incidents } = compared(alerts, {}, sameTag);
    expect(incidents).toEqual({ now: 3, proposed: 2, unchanged: 1 });
    expect(groups).toMatchObject([
      { kind: 'join', differing: 1, now: [{}, {}], proposed: [{ alertIds: ['a', 'b'].map(alertOf) }] },
    ]);
    expect(groups[0]?.deciding).toMatchObject([
      {
        now: { outcome: 'created' },
        proposed: { alert: { id: alertOf('b') }, outcome: 'correlated', why: { reason: 'rule' } },
      },
    ]);
  });

  it('the other way round says what splits', () =>
    expect(compared(alerts, sameTag, {}).groups).toMatchObject([{ kind: 'split', now: [{}], proposed: [{}, {}] }]));

  it('says what vanishes, appears, and has other alerts', () => {
    const [severe] = [{ ...onlySevere }];
    const low = [anAlert('a', 0, { severity: 'low' })];
    expect(compared(low, {}, severe).groups).toMatchObject([
      { kind: 'vanish', now: [{ title: 'Disk is full' }], proposed: [] },
    ]);
    expect(compared(low, severe, {}).groups).toMatchObject([{ kind: 'appear', now: [], proposed: [{}] }]);
    expect(compared(alerts.slice(2), {}, severe).groups).toMatchObject([
      { kind: 'change', now: [{ alertIds: ['c', 'd'].map(alertOf) }], proposed: [{ alertIds: [alertOf('d')] }] },
    ]);
  });

  it('says where incidents are others altogether', () => {
    const three = [
      anAlert('a', 0, { tags: ['x'], services: ['db'] }),
      anAlert('b', 1, { tags: ['y'], services: ['db'] }),
      anAlert('c', 30, { tags: ['y'], services: ['web'] }),
    ];
    const noWindow = { ...sameTag, correlation: { by: 'group' } };
    expect(compared(three, {}, noWindow).groups).toMatchObject([
      { kind: 'regroup', now: [{}, {}], proposed: [{}, {}] },
    ]);
  });
});

describe('a simulation', () => {
  const person = { kind: 'user', id: 'u', name: null } as const;

  it('repeats what people did', () => {
    const site = under();
    site.alert(anAlert('a', 0, { key: 'k' }));
    site.command({ kind: 'resolve', openingAlertId: alertOf('a'), at: minute(10), actor: person });
    site.alert(anAlert('b', 60, { key: 'k' }));
    expect(site.replayed.get(alertOf('b'))).toMatchObject({ outcome: 'created' });
    site.command({ kind: 'reopen', openingAlertId: alertOf('a'), at: minute(61), actor: person });
    const first = site.replayed.get(alertOf('a'))?.incidentId ?? '';
    expect(site.incidents.incident(first).status).toBe('open');
  });

  it('repeats merges: the survivor gets what comes for the other, and what a rule would have joined is still said', () => {
    const merged = (settings: WebhookSettings): Simulation => {
      const site = under(settings);
      site.alert(anAlert('a', 0, { key: 'k', tags: ['x'] }));
      site.alert(anAlert('b', 60, { key: 'l', tags: ['x'] }));
      const [openingAlertId, intoOpeningAlertId] = [alertOf('a'), alertOf('b')];
      site.command({ kind: 'merge', openingAlertId, intoOpeningAlertId, at: minute(70), actor: person });
      site.alert(anAlert('again', 71, { key: 'k', tags: ['x'] }));
      return site;
    };
    const site = merged({});
    const [source, survivor] = ['a', 'b'].map((name) => site.replayed.get(alertOf(name))?.incidentId ?? '');
    expect(site.incidents.incident(source ?? '')).toMatchObject({ status: 'resolved', mergedInto: survivor });
    expect(site.incidents.incident(survivor ?? '')).toMatchObject({ status: 'open', mergedFrom: [source] });
    expect(site.replayed.get(alertOf('again'))).toMatchObject({ incidentId: survivor, outcome: 'deduplicated' });
    expect(site.incidents.homeOf(alertOf('a'))).toBe(survivor);
    expect(compare(site, merged(sameTag)).groups).toMatchObject([{ kind: 'join', now: [{}, {}], proposed: [{}] }]);
  });

  it('refuses what the incident-store refuses: a cycle, a survivor that is closed, one that is gone already', () => {
    const site = under();
    const merge = (from: string, into: string): void =>
      site.command({
        kind: 'merge',
        openingAlertId: alertOf(from),
        intoOpeningAlertId: alertOf(into),
        at: minute(9),
        actor: person,
      });
    for (const name of ['a', 'b', 'c']) site.alert(anAlert(name, 0, { key: name }));
    merge('a', 'b');
    merge('b', 'a');
    merge('a', 'c');
    merge('c', 'c');
    merge('unknown', 'c');
    const statuses = ['a', 'b', 'c'].map((name) => {
      const incident = site.incidents.incident(site.replayed.get(alertOf(name))?.incidentId ?? '');
      return incident.status;
    });
    expect(statuses).toEqual(['resolved', 'open', 'open']);
  });

  it('ends alerts when their source vouches for them no longer', () => {
    const site = under();
    site.alert(anAlert('a', 0, { key: 'k', endsAt: minute(5) }));
    const incident = site.replayed.get(alertOf('a'))?.incidentId ?? '';
    site.alert(anAlert('b', 4, { key: 'k', endsAt: minute(9) }));
    site.alert(anAlert('other', 8));
    expect(site.incidents.incident(incident).status).toBe('open');
    site.alert(anAlert('another', 10));
    expect(site.incidents.incident(incident)).toMatchObject({ status: 'resolved', asOf: minute(9) });
  });

  it('sees an alert once', () => {
    const site = under();
    for (let time = 0; time < 3; time++) site.alert(anAlert('a', 0));
    expect([...site.incidents.all()]).toMatchObject([{ occurrences: 1, scope: SCOPE }]);
  });
});

describe('deadlines', () => {
  it('are due when they have passed, each once, in their order', () =>
    fc.assert(
      fc.property(
        fc.array(fc.record({ alert: fc.nat(5), at: fc.option(fc.nat(600)), now: fc.nat(600) }), { maxLength: 40 }),
        (steps) => {
          const deadlines = new Deadlines();
          const plain = new Map<string, string>();
          const instant = (seconds: number) => minute(seconds / 60);
          for (const { alert, at, now } of steps) {
            const alertId = `alr_${alert}`;
            deadlines.set(alertId, at === null ? null : { at: instant(at), reason: 'quiet' });
            if (at === null) plain.delete(alertId);
            else plain.set(alertId, instant(at));
            const expected = [...plain].filter(([, due]) => due <= instant(now));
            for (const [id] of expected) plain.delete(id);
            const due = deadlines.due(instant(now));
            expect(due.map(({ alertId: id }) => id).sort()).toEqual(expected.map(([id]) => id).sort());
            expect(due.map(({ deadline }) => deadline.at)).toEqual(expected.map(([, time]) => time).sort());
          }
        },
      ),
    ));
});

describe('a configuration file', () => {
  const problems = (file: unknown) => {
    const read = readConfigurationFile(file);
    return read.ok ? [] : read.problems.map(({ path }) => path);
  };

  it('holds settings as the REST API takes them, and others that decide nothing here', () => {
    const webhook = { name: 'shop', auth: { method: 'none' }, rate_limit_per_hour: 0, dedup: { window_hours: 1 } };
    expect(problems({ webhooks: [webhook], correlation_rules: null, subscriptions: [] })).toEqual([]);
    expect(bodyWith({ dedup: { window_hours: 1, recipe: ['title'] } }).dedup).toMatchObject({
      windowHours: 1,
      recipe: ['title'],
    });
  });

  it.each([
    [{ webhooks: [{ dedup: {} }] }, 'webhooks[0]'],
    [{ webhooks: [{ name: 'x', dedup: { window_hours: 169 } }] }, 'webhooks.0.dedup.window_hours'],
    [{ webhooks: [{ name: 'x', dedup: { recipe: ['titel'] } }] }, 'webhooks[0].dedup.recipe[0]'],
    [{ webhooks: [{ name: 'x', open_when: { field: 'title', operator: 'is' } }] }, 'webhooks[0].open_when.operator'],
    [{ webhooks: [{ name: 'x', mapping: { fields: { title: '$[' } } }] }, 'webhooks[0].mapping.fields.title'],
    [
      { correlation_rules: { rules: [{ name: 'r', conditions: { operator: 'and', items: [] } }] } },
      'correlation_rules.rules[0].conditions.items',
    ],
    ['webhooks', '(file)'],
  ])('%j is refused with its path', (file, path) => expect(problems(file)).toEqual([path]));
});
