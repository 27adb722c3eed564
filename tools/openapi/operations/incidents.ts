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
  'GET /api/v1/incidents/{id}/audit': {
    ...incident,
    ...page,
    summary: 'Events of an incident with their hashes, checked',
    answers: { 200: answer('IncidentAudit', 'Whether the chain is intact, and what was found.') },
  },
  'POST /api/v1/incidents/bulk': {
    tag: 'Incidents',
    summary: 'One command on up to 500 incidents',
    description: 'Each in a transaction of its own: what is refused for one does not hold up the others.',
    headers: {
      'idempotency-key': {
        description: 'A repeat with the same key and body does nothing twice (1 to 255 characters).',
      },
    },
    bodies: {
      comment: {
        summary: 'Comment on all of them',
        value: { ids: [ids.incident], command: 'comment', text: 'One cause: the database.' },
      },
    },
    answers: { 200: answer('BulkResults', 'What became of each, in the order of the ids.') },
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
  'GET /api/v1/incidents/stream': {
    tag: 'Incidents',
    summary: 'Incident events as they come',
    description:
      'Server-Sent Events; an endless answer. `GET /api/v1/events` gives the same to who asks from time to time.',
    headers: {
      'last-event-id': { description: 'Id of the last event that was received: the stream goes on behind it.' },
    },
    problems: ['malformed-request'],
    answers: {
      200: { description: 'Events of the workspace.', type: 'text/event-stream', schema: { type: 'string' } },
    },
  },
  'GET /api/v1/events': {
    tag: 'Incidents',
    summary: 'Incident events in their order',
    query: { after: '0', limit: 100 },
    answers: { 200: answer('EventFeed', 'Events behind the position, oldest first.') },
  },
  'GET /api/v1/alerts': {
    tag: 'Incidents',
    summary: 'List alerts that were recorded without an incident',
    query: { limit: 20 },
    answers: { 200: answer('RecordedAlertPage', 'Newest first.') },
  },
  'GET /api/v1/alerts/{id}': {
    tag: 'Incidents',
    summary: 'Read an alert with its decision',
    path: { id: ids.alert },
    answers: { 200: answer('AnyAlert', 'As much as is kept of it.') },
  },
  'POST /api/v1/alerts/{id}/promote': {
    tag: 'Incidents',
    summary: 'Make an incident of a recorded alert',
    path: { id: ids.recordedAlert },
    problems: ['wrong-state', 'conflict'],
    answers: { 200: answer('CommandResult', 'The incident, and the events that made it.') },
  },
  'GET /api/v1/receipts/{id}': {
    tag: 'Receipts',
    summary: 'What became of one request',
    description: 'Waits up to two seconds for one that is on its way.',
    path: { id: ids.receipt },
    answers: { 200: answer('Receipt', 'As far as it is known.') },
  },
};
