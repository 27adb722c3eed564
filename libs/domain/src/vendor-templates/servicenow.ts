import { deriveId } from '@tocsin/contracts';
import { entryOf, messageOf, oneLine, within } from './message.ts';
import { paragraphsOf, recordKey, subjectIdOf, ticketEvents } from './tickets.ts';
import { basic, LINE, text, textIn, under, type VendorTemplate } from './vendor-template.ts';

/** 1 is the worst; choices of the incident table as it comes. */
const levels: Readonly<Record<string, { urgency: string; impact: string }>> = {
  critical: { urgency: '1', impact: '1' },
  high: { urgency: '1', impact: '2' },
  medium: { urgency: '2', impact: '2' },
  low: { urgency: '3', impact: '3' },
  info: { urgency: '3', impact: '3' },
};
const CORRELATION_MAX = 100;

/** Creates a record by the Table API. */
export const servicenow: VendorTemplate = {
  name: 'servicenow',
  title: 'ServiceNow',
  description: 'Creates a record of the incident table, or of another one with the same fields.',
  documentation:
    'https://docs.servicenow.com/bundle/utah-api-reference/page/integrate/inbound-rest/concept/c_TableAPI.html',
  platforms: ['servicenow', 'servicenow-incident'],
  parameters: [
    text('instance_url', 'The instance.', { type: 'url', example: 'https://acme.service-now.com' }),
    text('username', 'A user that may create records.', {
      pattern: { test: /^[^:\p{Cc}\p{Cs}]{1,200}$/u, says: 'must be a user name without a colon' },
      example: 'tocsin',
    }),
    text('password', 'The password of the user.', { secret: true, pattern: LINE, example: 'XXXX' }),
    text('table', 'The table.', {
      required: false,
      pattern: { test: /^[a-z][a-z0-9_]{0,79}$/, says: 'must be the name of a table' },
      ...{ default: 'incident', example: 'incident' },
    }),
    text('assignment_group', 'Name or sys_id of the group.', { required: false, pattern: LINE, example: 'Operations' }),
    text('caller_id', 'Name or sys_id of the caller.', { required: false, pattern: LINE, example: 'tocsin' }),
  ],
  defaultEvents: ['incident.created', 'recommendation.created'],
  supportedEvents: ticketEvents,
  body: (event, parameters) => {
    const message = messageOf(event);
    const id = subjectIdOf(event);
    const [group, caller] = [textIn(parameters, 'assignment_group'), textIn(parameters, 'caller_id')];
    return {
      short_description: within(oneLine(message.headline), 160),
      description: within(paragraphsOf(message).join('\n\n'), 4_000),
      ...(entryOf(levels, event.data['severity']) ?? { urgency: '3', impact: '3' }),
      correlation_id: id.length <= CORRELATION_MAX ? id : deriveId('key', id),
      correlation_display: 'Tocsin',
      ...(group === '' ? {} : { assignment_group: group }),
      ...(caller === '' ? {} : { caller_id: caller }),
    };
  },
  target: (parameters) => ({
    url: under(
      textIn(parameters, 'instance_url'),
      `/api/now/table/${textIn(parameters, 'table')}?sysparm_fields=number,sys_id`,
    ),
    headers: {
      accept: 'application/json',
      authorization: basic(textIn(parameters, 'username'), textIn(parameters, 'password')),
    },
  }),
  linkOf: ({ parameters, answered }) => {
    const record = answered?.['result'] as Readonly<Record<string, unknown>> | null | undefined;
    const [number, id] = [recordKey(record?.['number']), recordKey(record?.['sys_id'])];
    if (number === undefined) return undefined;
    const page = encodeURIComponent(`${textIn(parameters, 'table')}.do?sys_id=${id ?? ''}`);
    return {
      id: number,
      url: id === undefined ? null : under(textIn(parameters, 'instance_url'), `/nav_to.do?uri=${page}`),
    };
  },
};
