import type { Description, Descriptions } from '../describe.ts';
import { ids } from '../example-ids.ts';
import { answer, ETAG, MADE, nothing } from './answers.ts';

const planned = { field: 'service', operator: 'equals', value: 'payments-of-the-examples' };
const nights = {
  frequency: 'weekly',
  weekdays: ['tu', 'th'],
};

interface Resource {
  path: string;
  id: string;
  one: string;
  page: string;
  schema: string;
  named: Record<string, string>;
}

/** Both resources have the same routes. */
function routesOf({ path, id, one, page, schema, named }: Resource): Record<string, Description> {
  const all = { tag: 'Silences' as const };
  const single = { ...all, path: { id } };
  return {
    [`GET /api/v1/${path}`]: {
      ...all,
      summary: `List ${one}s`,
      query: { status: 'active', limit: 20 },
      answers: { 200: answer(page, 'In the order in which they were made; those that are over stay for 30 days.') },
    },
    [`POST /api/v1/${path}`]: {
      ...all,
      summary: `Make a ${one}`,
      description:
        'Alerts that match and are received while it holds open nothing: they are kept without an incident, listed and promotable. ' +
        'Resolves always pass. Refused where it matches more than half of the live alerts (five at least), unless `force` is set.',
      bodies: {
        hour: { summary: 'For an hour from now on', value: { ...named, matchers: planned, duration_minutes: 60 } },
        nights: {
          summary: 'Two nights a week, in local time',
          value: {
            ...named,
            matchers: [planned, { field: 'severity', operator: 'not_equals', value: 'critical' }],
            from: '2026-12-01T22:00:00+01:00',
            duration_minutes: 240,
            time_zone: 'Europe/Berlin',
            recurrence: nights,
          },
        },
      },
      headers: {
        'idempotency-key': { description: 'A repeat with the same key answers with what the first one made.' },
      },
      problems: ['over-broad', 'conflict'],
      answers: { 201: answer(schema, 'Made.', MADE) },
    },
    [`POST /api/v1/${path}/preview`]: {
      ...all,
      summary: 'Count what matchers would match',
      description: 'Of the alerts of the last hours, read again from the kept payloads of the inbound log.',
      bodies: { matchers: { summary: 'Of two days', value: { matchers: planned, hours: 48 } } },
      answers: { 200: answer('MutePreview', 'Counts, and the newest that match.') },
    },
    [`GET /api/v1/${path}/{id}`]: {
      ...single,
      summary: `Read a ${one}`,
      answers: { 200: answer(schema, `The ${one}.`, ETAG) },
    },
    [`PATCH /api/v1/${path}/{id}`]: {
      ...single,
      summary: `Change a ${one}`,
      description: 'What is not given stays. A new start without a new end keeps the length.',
      bodies: { longer: { summary: 'Make it longer', value: { duration_minutes: 120 } } },
      problems: ['over-broad'],
      answers: { 200: answer(schema, 'As it is now.', ETAG) },
    },
    [`POST /api/v1/${path}/{id}/expire`]: {
      ...single,
      summary: `End a ${one} now`,
      answers: { 200: answer(schema, 'As it was, and over.', ETAG) },
    },
    [`DELETE /api/v1/${path}/{id}`]: {
      ...single,
      summary: `Delete a ${one}`,
      answers: { 204: nothing('Gone; alerts open incidents again.') },
    },
  };
}

export const silences: Descriptions = {
  ...routesOf({
    ...{ path: 'silences', id: ids.silence, one: 'silence', page: 'SilencePage', schema: 'Silence' },
    named: { comment: 'Known, ticket 4711' },
  }),
  ...routesOf({
    ...{ path: 'maintenance-windows', id: ids.maintenanceWindow, one: 'maintenance window' },
    ...{ page: 'MaintenanceWindowPage', schema: 'MaintenanceWindow', named: { name: 'Patch night' } },
  }),
};
