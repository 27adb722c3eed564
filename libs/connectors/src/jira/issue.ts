import { isObject, listOf, textOf, valueAlong, valueAt } from '@tocsin/domain/mapping';

/** The issue of an event; an automation's "issue data" is the issue itself. */
export const issueOf = (element: unknown): unknown => {
  const issue = valueAt(element, 'issue');
  return isObject(issue) ? issue : element;
};

export const fieldOf = (element: unknown, ...keys: string[]): unknown =>
  valueAlong(valueAt(issueOf(element), 'fields'), keys);

/** `''` for an automation, which names no event. */
export const eventOf = (element: unknown): string => textOf(valueAt(element, 'webhookEvent')) ?? '';

const itemsOf = (element: unknown): readonly unknown[] => {
  const items = valueAt(element, 'changelog', 'items');
  return Array.isArray(items) ? items.slice(0, 200) : [];
};

/** What an update changed, lower case. */
const changedFields = (element: unknown): string[] =>
  itemsOf(element).flatMap((item) => textOf(valueAt(item, 'field'))?.toLowerCase() ?? []);

/** A comment or a work log of its own kind of event, or (Jira Server) an update that changed no field. */
export function isNote(element: unknown): boolean {
  if (/^(?:comment|worklog)_/.test(eventOf(element))) return true;
  const type = textOf(valueAt(element, 'issue_event_type_name')) ?? '';
  return /^issue_(?:comment|work)/.test(type) && changedFields(element).length === 0;
}

/** Events about issues; those about links, sprints, projects, versions and users say nothing of an alert. */
export const isIssueEvent = (element: unknown): boolean => {
  const event = eventOf(element);
  return event === '' || /^jira:issue_/.test(event);
};

/** States whose meaning only their name tells (Jira Server before categories), beside the common vocabulary. */
export const statusNames = {
  'to do': 'triggered',
  backlog: 'triggered',
  'selected for development': 'triggered',
  'waiting for support': 'triggered',
  'waiting for customer': 'acknowledged',
  'in review': 'acknowledged',
  'work in progress': 'acknowledged',
  pending: 'acknowledged',
  declined: 'resolved',
  update: 'update',
} as const;

/**
 * The state of the issue by the category of its status, which does not depend on names or language. An update that left the status alone
 * changes fields and nothing else; only a raised priority may be how the issue came into the filter of the webhook, so it counts as open.
 */
export function stateOf(element: unknown): string | undefined {
  if (eventOf(element) === 'jira:issue_deleted') return 'resolved';
  const category = textOf(valueAt(fieldOf(element, 'status'), 'statusCategory', 'key'));
  const name = textOf(fieldOf(element, 'status', 'name'));
  const state = category === undefined || category === 'undefined' ? name : category;
  const changed = changedFields(element);
  if (changed.length === 0 || changed.some((field) => field === 'status' || field === 'resolution')) return state;
  return changed.includes('priority') && category === 'new' ? state : 'update';
}

/** Names in a language of the sender; the words of a scale (P1, SEV-1) are read by the common vocabulary. */
export const priorityNames = {
  highest: 'critical',
  blocker: 'critical',
  high: 'high',
  critical: 'high', // below "Blocker" in the scheme that has it
  medium: 'medium',
  major: 'medium',
  low: 'low',
  minor: 'low',
  lowest: 'info',
  trivial: 'info',
} as const;

/** The "Affected services" field of Jira Service Management has another id on each site; its values name a service of Atlassian's graph. */
export function affectedServices(element: unknown): string[] {
  const fields = fieldOf(element);
  if (!isObject(fields)) return [];
  return Object.entries(fields)
    .filter(([key, value]) => key.startsWith('customfield_') && Array.isArray(value))
    .slice(0, 200)
    .flatMap(([, value]) => (value as unknown[]).slice(0, 100))
    .filter((item) => /^ari:cloud:graph::service\//.test(textOf(valueAt(item, 'id')) ?? ''))
    .flatMap((item) => listOf(valueAt(item, 'name')));
}

/** The page of an issue: the payload holds only its address in the REST API, which begins with that of the site. */
export function pageOf(element: unknown): string | undefined {
  const self = textOf(valueAt(issueOf(element), 'self')) ?? '';
  const key = textOf(valueAt(issueOf(element), 'key'));
  const site = /^(https?:\/\/[^?#]+?)\/rest\//.exec(self)?.[1];
  return site === undefined || key === undefined
    ? undefined
    : `${site}/browse/${encodeURIComponent(key.toWellFormed())}`;
}
