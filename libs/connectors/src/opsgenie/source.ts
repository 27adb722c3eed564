import { isObject, listOf, textOf, valueAt } from '@tocsin/domain/mapping';
import type { AlertStatus } from '@tocsin/contracts';
import type { Reading, SourceConnector } from '../kit/source-connector.ts';

const alertOf = (element: unknown): unknown => valueAt(element, 'alert');

/** Actions are written `Create`, `UnAcknowledge`, `Snooze ended`; those of custom buttons are any text. */
const actionOf = (element: unknown): string =>
  (textOf(valueAt(element, 'action')) ?? '').toLowerCase().replaceAll(/[^a-z]/g, '');

const STATUS_OF_ACTION: Readonly<Record<string, AlertStatus>> = {
  create: 'triggered',
  unacknowledge: 'triggered',
  snoozeended: 'triggered',
  acknowledge: 'acknowledged',
  assignownership: 'acknowledged',
  takeownership: 'acknowledged',
  close: 'resolved',
  delete: 'resolved',
};

/**
 * Every other action (tags, teams, responders, priority, escalations, custom buttons) repeats the alert's body whatever its state is, so
 * it may change a field and must never open again what is closed.
 */
function statusOfAction({ element }: Reading): AlertStatus | undefined {
  const action = actionOf(element);
  if (action === '') return undefined;
  return Object.hasOwn(STATUS_OF_ACTION, action) ? STATUS_OF_ACTION[action] : 'update';
}

interface Team {
  id: string | undefined;
  name: string;
}

/** `teams` holds names, ids or objects; `responders` gives an id its name. */
function teamsOf(element: unknown): string[] {
  const alert = alertOf(element);
  const responders = teamsIn(valueAt(alert, 'responders'), (item) => valueAt(item, 'type') === 'team');
  const names = new Map(responders.map(({ id, name }) => [id, name]));
  const named = teamsIn(valueAt(alert, 'teams'), () => true);
  return [...new Set([...named.map(({ name }) => names.get(name) ?? name), ...responders.map(({ name }) => name)])];
}

function teamsIn(list: unknown, wanted: (item: unknown) => boolean): Team[] {
  if (!Array.isArray(list)) return [];
  return list.slice(0, 100).flatMap((item: unknown) => {
    const id = textOf(valueAt(item, 'id'));
    const name = isObject(item) ? (textOf(item) ?? id) : textOf(item);
    return name === undefined || !wanted(item) ? [] : [{ id, name }];
  });
}

function tagsOf({ element }: Reading): string[] {
  const tags = valueAt(alertOf(element), 'tags');
  return [...listOf(tags), ...teamsOf(element).map((team) => `team:${team}`)];
}

function pageOf({ element }: Reading): string | undefined {
  const id = textOf(valueAt(alertOf(element), 'alertId'));
  return id === undefined
    ? undefined
    : `https://app.opsgenie.com/alert/detail/${encodeURIComponent(id.toWellFormed())}/details`;
}

/** `createdAt` never moves; `updatedAt` (nanoseconds, kept as text) is the time of every later action. */
const changedAt = ({ element }: Reading): unknown =>
  valueAt(alertOf(element), actionOf(element) === 'create' ? 'createdAt' : 'updatedAt');

/** The outgoing webhook integration: one action on one alert per request. */
export const source = {
  id: 'opsgenie',
  title: 'Opsgenie',
  category: 'incident-management',
  kind: 'alert',
  slugs: [],
  auth: {
    default: 'api_key',
    also: ['bearer', 'hmac', 'basic', 'query_token', 'none'],
    apiKey: { header: 'authorization', prefix: 'GenieKey' },
  },
  deliveryIdHeaders: [],
  retries: { on429: false },
  respond: 'accept',
  resolves: true,
  decode: ['json'],
  recognises: (root) => isObject(alertOf(root)),
  split: (root) => [root],
  recognisesElement: (element) => textOf(valueAt(alertOf(element), 'alertId')) !== undefined,
  ignore: [
    { when: ({ element }) => actionOf(element) === 'addnote', reason: 'note' },
    {
      // An escalation carries the alert's id alone: there is nothing to update with.
      when: (reading) =>
        statusOfAction(reading) === 'update' && textOf(valueAt(alertOf(reading.element), 'message')) === undefined,
      reason: 'unsupported-event',
    },
  ],
  fields: {
    title: ['$.alert.message', '$.alert.alias'],
    description: ['$.alert.description'],
    services: ['$.alert.entity', '$.alert.details.service', ({ element }) => teamsOf(element)],
    tags: [tagsOf],
    source: ['$.alert.source', '$.source.name', '$.integrationName'],
    url: [pageOf],
    dedupKey: ['$.alert.alertId'], // an alias is used again once its alert is closed
    firingKey: [],
    incidentType: [],
  },
  occurredAt: { from: [changedAt, '$.alert.createdAt'], orders: true },
  status: { from: [statusOfAction], map: { update: 'update' }, absent: 'triggered' },
  severity: { from: ['$.alert.priority', () => 'P3'] }, // Opsgenie's own default
  keep: ({ element }) => (isObject(element) ? element : {}),
} as const satisfies SourceConnector;
