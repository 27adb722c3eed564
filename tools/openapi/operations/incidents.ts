import type { Description, Descriptions } from '../describe.ts';
import { ids } from '../example-ids.ts';
import { answer, nothing, ETAG } from './answers.ts';

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

/** Commands over several incidents. */
const moves = (of: Pick<Description, 'summary' | 'description' | 'bodies'>): Description => ({
  ...command(of, 200),
  answers: { 200: answer('MoveResult', 'The incident as it is now, the events on it, and the other incidents.') },
});

export const incidents: Descriptions = {
  'GET /api/v1/incidents': {
    tag: 'Incidents',
    summary: 'List incidents',
    description:
      '`status`, `severity`, `priority` and `facets` take several values, separated by commas; `service`, `tag`, `source`, `webhook`, `connector`, `assignee` and `incident_type` may be repeated. Counts by status leave the filter of the status open, those by severity that of the severity.',
    query: { status: 'open,acknowledged', sort: '-severity', facets: 'service,source', limit: 20 },
    answers: {
      200: answer('IncidentPage', 'Incidents of the workspace.'),
      431: nothing('The address and the headers are longer than 16 KB together.'),
    },
  },
  'POST /api/v1/incidents': {
    tag: 'Incidents',
    summary: 'Open an incident by hand',
    description:
      'It has no alerts; alerts that are correlated join it as any other. Subscribers get `incident.created`. The same `Idempotency-Key` is the same incident.',
    headers: {
      'idempotency-key': {
        description: 'A repeat with the same key and body opens nothing twice (1 to 255 characters).',
      },
    },
    bodies: {
      short: { summary: 'A title is enough', value: { title: 'Customers cannot pay' } },
      full: {
        summary: 'All that can be said',
        value: {
          ...{
            title: 'Customers cannot pay',
            description: 'Three calls since nine.',
            severity: 'high',
            priority: 'P1',
          },
          ...{ services: ['checkout'], tags: ['env:production'], source: 'phone', incident_type: 'outage' },
          ...{ url: 'https://wiki.example.com/checkout', assignee: 'mira', custom_fields: { tier: 'gold' } },
        },
      },
    },
    problems: ['conflict', 'malformed-request'],
    answers: { 201: answer('CommandResult', 'The incident with its number, and the event that opened it.', ETAG) },
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
      edit: {
        summary: 'The same severity for all of them',
        value: { ids: [ids.incident], command: 'edit', fields: { severity: 'low' } },
      },
      merge: {
        summary: 'All of them into one',
        value: { ids: [ids.duplicateIncident], command: 'merge', into: ids.incident },
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
  'POST /api/v1/incidents/{id}/rca': {
    ...incident,
    summary: 'Ask for an investigation',
    description:
      'Whatever the webhook’s settings say, and also of an incident that was looked into before; one at a time. The cap of the workspace holds (`RCA_MAX_PER_HOUR`).',
    headers: {
      'idempotency-key': { description: 'A repeat with the same key asks for nothing twice.', example: 'why-1' },
    },
    problems: ['wrong-state', 'rate-limited'],
    answers: { 202: answer('Investigation', 'Asked for; `GET` shows what is found.') },
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
  'POST /api/v1/incidents/{id}/erase': {
    ...command(
      {
        summary: 'Erase the personal data of an incident',
        description:
          'Takes every text out of the contents of its events, for good, and out of what is kept of its alerts and of the requests that they came with. Ids, times, counts, states and severities stay; so does the chain of hashes. The incident must be resolved; comments (`versions`) can go at any time. Not in reach: records that are on Kafka until their retention ends, and what subscribers have been sent.',
        bodies: {
          all: { summary: 'All of it', value: { note: 'Request 4711' } },
        },
      },
      200,
    ),
    problems: ['wrong-state', 'precondition-failed', 'malformed-request'],
    answers: {
      200: answer(
        'ErasureResult',
        'The incident as it is now, and the versions of the events that lost their content.',
      ),
    },
  },
  'POST /api/v1/incidents/{id}/merge': {
    ...moves({
      summary: 'Merge incidents into one',
      description:
        '`into`: this incident goes into that one; `ids`: this one takes those in. Alerts, their repeats and their keys go to the survivor, which is raised to the worst severity of those that were open; the others are closed with `merged_into` and cannot be reopened. 5,000 alerts at once.',
      bodies: {
        ids: { summary: 'Others into this one', value: { ids: [ids.otherIncident] } },
        into: { summary: 'This one into another', value: { into: ids.incident, note: 'One cause: the database.' } },
      },
    }),
    path: { id: ids.mergedIncident },
    problems: ['wrong-state', 'merge-cycle', 'precondition-failed', 'conflict', 'malformed-request'],
  },
  'POST /api/v1/incidents/{id}/move-alerts': {
    ...moves({
      summary: 'Move alerts to another incident, or to a new one',
      description:
        'With `into` they join that incident; without it a new one is opened for them. Repeats and resolves of their keys follow. The incident that they leave stays open until it is resolved.',
      bodies: {
        existing: { summary: 'To an incident', value: { alert_ids: [ids.mixedAlert], into: ids.incident } },
        new: { summary: 'To a new one', value: { alert_ids: [ids.mixedAlert2], title: 'Payments, not orders' } },
      },
    }),
    path: { id: ids.mixedIncident },
  },
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
    summary: 'List alerts that were recorded or suppressed, without an incident',
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
