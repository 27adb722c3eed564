import type { ConditionDocument, CorrelationRule, CorrelationRules, MuteDocument } from '@tocsin/contracts';
import { defaultPolicy, type AlertPolicy } from '../../incident/index.ts';
import { readCondition } from '../../conditions/index.ts';
import type { CorrelationConfig } from '../correlate.ts';
import { compileMute } from '../mutes.ts';
import { compileRules } from '../rules.ts';
import type { Alert, OwnValues, Rules } from './plain-words.ts';

/** Each configuration twice: as documents for the real parts, and in plain words. */
interface Configuration {
  plain: Rules;
  rules?: CorrelationRule[];
  openWhen?: ConditionDocument;
  silence?: MuteDocument;
}

const shares = (some: readonly string[], others: readonly string[]): boolean =>
  some.some((one) => others.includes(one));
const bare = (tag: string): string => tag.slice(tag.indexOf(':') + 1);
const isSevere = (severity: string): boolean => severity === 'critical' || severity === 'high';

const rule = (name: string, priority: number, conditions: ConditionDocument): CorrelationRule => ({
  ...{ name, enabled: true, priority, weight: 1, appliesTo: 'both', conditions },
});

const severeOnOneService = {
  document: rule('severe, on one service', 1, {
    operator: 'and',
    items: [
      { field: 'services', operator: 'intersects', value: [] },
      { field: 'severity', operator: 'in', value: ['critical', 'HIGH'] },
    ],
  }),
  fits: (alert: OwnValues, incident: OwnValues) =>
    shares(alert.services, incident.services) && isSevere(alert.severity) && isSevere(incident.severity),
};
const sameTag = {
  document: rule('same tag', 5, { field: 'tags', operator: 'intersects', value: [] }),
  fits: (alert: OwnValues, incident: OwnValues) =>
    alert.tags.some((mine) => incident.tags.some((its) => mine === its || bare(mine) === its || mine === bare(its))),
};
const timeouts = {
  document: rule('timeouts', 0, { field: 'title', operator: 'contains', value: 'timeout' }),
  fits: (alert: OwnValues, incident: OwnValues) =>
    alert.title.includes('timeout') && incident.title.includes('timeout'),
};

/** Every day from ten to noon. */
const fullDisks = {
  document: {
    ...{ kind: 'silence', id: 'sil_disks', revision: 9, workspaceId: 'ws', deleted: false },
    body: {
      ...{ name: 'full disks', comment: 'the nightly copy', createdBy: { id: 'key', name: 'Ada' } },
      matchers: { field: 'title', operator: 'starts_with', value: 'disk' },
      schedule: {
        ...{ from: '2026-11-21T10:00:00.000Z', to: '2026-11-21T12:00:00.000Z', timeZone: 'UTC' },
        recurrence: { frequency: 'daily', interval: 1, weekdays: [], monthDays: [], until: null },
      },
    },
  } satisfies MuteDocument,
  matches: ({ title, receivedAt }: Alert): boolean =>
    title.startsWith('disk') && [10, 11].includes(new Date(receivedAt).getUTCHours()),
};

const usual: Rules = {
  ...{ windowHours: 24, windowFrom: 'last', reopenMinutes: 30, resolvePolicy: 'all' },
  ...{ correlate: true, windowMinutes: 5, by: 'service', opens: () => true, rules: [] },
  ...{ silenced: () => false, stormAbove: null },
};

const list: Configuration[] = [
  { plain: usual },
  {
    plain: {
      ...usual,
      ...{ windowHours: 1, windowFrom: 'first', reopenMinutes: 0, resolvePolicy: 'any', windowMinutes: 3, by: 'any' },
      opens: ({ severity }) => isSevere(severity),
    },
    openWhen: { field: 'severity', operator: 'in', value: ['critical', 'high'] },
  },
  {
    plain: {
      ...usual,
      ...{ windowHours: 2, reopenMinutes: 60, resolvePolicy: 'never' },
      rules: [timeouts.fits, severeOnOneService.fits, sameTag.fits],
    },
    rules: [sameTag.document, severeOnOneService.document, timeouts.document],
  },
  { plain: { ...usual, windowHours: 1, correlate: false } },
  { plain: { ...usual, windowMinutes: 1, silenced: fullDisks.matches, stormAbove: 1 }, silence: fullDisks.document },
];

export const plainRules: readonly Rules[] = list.map(({ plain }) => plain);

const setOf = (rules: CorrelationRule[]): CorrelationRules => ({
  ...{ enabled: true, strategy: 'first', minMatchWeight: 0.5, priorityOrder: 'asc', candidateMaxAgeHours: 24, rules },
});

export const configs: readonly CorrelationConfig[] = list.map(({ plain, rules, openWhen, silence }, index) => {
  const { windowHours, windowFrom, reopenMinutes, correlate: enabled, windowMinutes, by } = plain;
  const read = openWhen && readCondition(openWhen);
  if (read && !read.ok) throw new Error(JSON.stringify(read.problems));
  const compiled = rules && compileRules(setOf(rules), 'webhook');
  const mute = silence && compileMute(silence);
  return {
    revision: index + 1,
    dedup: { windowHours, windowFrom, reopenMinutes },
    correlation: { enabled, windowMinutes, by },
    openWhen: read ? read.condition : null,
    rules: compiled ? [compiled] : [],
    ...(mute && { mutes: [mute] }),
    ...(plain.stormAbove !== null && { storm: { newIncidentsPerMinute: plain.stormAbove } }),
  };
});

export const policies: readonly AlertPolicy[] = list.map(({ plain }, index) => {
  const { windowHours, windowFrom, reopenMinutes, resolvePolicy } = plain;
  return { ...defaultPolicy, windowHours, windowFrom, reopenMinutes, resolvePolicy, configRevision: index + 1 };
});
