import type { Description, Descriptions } from '../describe.ts';
import { ids } from '../example-ids.ts';
import { answer, ETAG } from './answers.ts';

const incident = { tag: 'Incidents', path: { id: ids.incident } } as const;
const page = { query: { limit: 50 } };

const command = (of: Pick<Description, 'summary' | 'description' | 'bodies'>, status: number): Description => ({
  ...incident,
  ...of,
  headers: {
    'if-match': { description: 'Version that the incident must be at, e.g. `"7"`.' },
    'idempotency-key': { description: 'A repeat with the same key and body does nothing twice (1 to 255 characters).' },
  },
  problems: ['wrong-state', 'precondition-failed', 'conflict', 'malformed-request'],
  answers: { [status]: answer('CommandResult', 'The incident as it is now, and the events of the command.') },
});

export const incidents: Descriptions = {
  'GET /api/v1/incidents': {
    tag: 'Incidents',
    summary: 'List incidents',
    description:
      '`status` and `severity` take several values, separated by commas. Counts leave these two filters open.',
    query: { status: 'open,acknowledged', sort: '-created_at', limit: 20 },
    answers: { 200: answer('IncidentPage', 'Incidents of the workspace.') },
  },
  'GET /api/v1/incidents/{id}': {
    ...incident,
    summary: 'Read an incident',
    answers: { 200: answer('Incident', 'The incident.', ETAG) },
  },
  'GET /api/v1/incidents/{id}/timeline': {
    ...incident,
    ...page,
    summary: 'What happened to an incident, in order',
    answers: { 200: answer('TimelinePage', 'Events with actor, cause and reason, and deliveries.') },
  },
  'GET /api/v1/incidents/{id}/alerts': {
    ...incident,
    ...page,
    summary: 'Alerts of an incident, each with why it is there',
    answers: { 200: answer('IncidentAlertPage', 'Alerts in the order in which they joined.') },
  },
  'GET /api/v1/incidents/{id}/rca': {
    ...incident,
    summary: 'Investigations of an incident',
    answers: { 200: answer('Investigations', 'Newest first; or why there is none.') },
  },
  'POST /api/v1/incidents/{id}/acknowledge': command(
    {
      summary: 'Acknowledge an incident',
      bodies: { note: { summary: 'With a note', value: { note: 'Looking into it.' } } },
    },
    200,
  ),
  'POST /api/v1/incidents/{id}/reopen': command(
    {
      summary: 'Reopen an incident that is resolved',
      bodies: { note: { summary: 'With a note', value: { note: 'It is back.' } } },
    },
    200,
  ),
  'POST /api/v1/incidents/{id}/snooze': command(
    {
      summary: 'Put an incident aside until a time',
      description: 'It opens by itself at that time, within 90 days.',
      bodies: { soon: { summary: 'Until later today', value: { until: ids.soon, note: 'Waiting for the vendor.' } } },
    },
    200,
  ),
  'POST /api/v1/incidents/{id}/unsnooze': command(
    {
      summary: 'Take an incident up again before its time',
      bodies: { note: { summary: 'With a note', value: { note: 'The vendor has answered.' } } },
    },
    200,
  ),
  'POST /api/v1/incidents/{id}/suppress': command(
    {
      summary: 'Keep an incident quiet',
      bodies: { note: { summary: 'With a note', value: { note: 'Known; fixed in the next release.' } } },
    },
    200,
  ),
  'POST /api/v1/incidents/{id}/assign': command(
    {
      summary: 'Say who works on an incident',
      bodies: {
        person: { summary: 'A person', value: { assignee: 'mira' } },
        nobody: { summary: 'Nobody', value: { assignee: null } },
      },
    },
    200,
  ),
  'PATCH /api/v1/incidents/{id}': command(
    {
      summary: 'Correct what an incident says',
      description: 'What is not given stays.',
      bodies: {
        title: {
          summary: 'A better title',
          value: { title: 'Checkout times out', tags: ['payments'], priority: 'P2' },
        },
        severity: { summary: 'Another severity', value: { severity: 'critical' } },
      },
    },
    200,
  ),
  'POST /api/v1/incidents/{id}/resolve': command(
    {
      summary: 'Resolve an incident',
      bodies: { note: { summary: 'With a note', value: { note: 'Rolled back.' } } },
    },
    200,
  ),
  'POST /api/v1/incidents/{id}/comments': command(
    {
      summary: 'Comment on an incident',
      bodies: { comment: { summary: 'A comment', value: { text: 'The rollback has begun.' } } },
    },
    201,
  ),
  'GET /api/v1/receipts/{id}': {
    tag: 'Receipts',
    summary: 'What became of one request',
    description: 'Waits up to two seconds for one that is on its way.',
    path: { id: ids.receipt },
    answers: { 200: answer('Receipt', 'As far as it is known.') },
  },
};
