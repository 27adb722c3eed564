import type { SyncFieldMap, SyncLinkBody, SyncSystem } from '@tocsin/contracts';

type Defaults = Pick<
  SyncLinkBody,
  'statusOut' | 'statusIn' | 'statusFields' | 'fieldMap' | 'issueType' | 'table' | 'createFields'
>;

const field = (name: SyncFieldMap['field'], external: string, more: Partial<SyncFieldMap> = {}): SyncFieldMap => ({
  ...{ field: name, external, direction: 'both', format: 'text', values: {}, valuesIn: {} },
  ...more,
});

/**
 * Jira: names of the default workflow and the default priorities.
 * ServiceNow: values of the incident table as it is delivered (1 New, 2 In Progress, 3 On Hold, 6 Resolved, 7 Closed, 8 Canceled); impact and
 * urgency 1 to 3, out of which an instance makes the priority.
 */
export const syncDefaults: Readonly<Record<SyncSystem, Defaults>> = {
  jira: {
    issueType: 'Task',
    table: null,
    statusOut: { open: 'To Do', acknowledged: 'In Progress', resolved: 'Done' },
    statusIn: { 'To Do': 'open', 'In Progress': 'acknowledged', Done: 'resolved' },
    statusFields: {},
    createFields: {},
    fieldMap: [
      field('title', 'summary'),
      field('description', 'description'),
      field('severity', 'priority', {
        format: 'name',
        values: { critical: 'Highest', high: 'High', medium: 'Medium', low: 'Low', info: 'Lowest' },
      }),
    ],
  },
  servicenow: {
    issueType: null,
    table: 'incident',
    statusOut: { open: '1', acknowledged: '2', resolved: '6' },
    statusIn: { '1': 'open', '2': 'acknowledged', '6': 'resolved', '7': 'resolved', '8': 'resolved' },
    statusFields: {
      resolved: { close_code: 'Solution provided', close_notes: 'Resolved in Tocsin.' },
    },
    createFields: {},
    fieldMap: [
      field('title', 'short_description'),
      field('description', 'description'),
      field('severity', 'impact', {
        direction: 'out',
        values: { critical: '1', high: '1', medium: '2', low: '3', info: '3' },
      }),
      field('severity', 'urgency', {
        direction: 'out',
        values: { critical: '1', high: '2', medium: '2', low: '3', info: '3' },
      }),
    ],
  },
};
