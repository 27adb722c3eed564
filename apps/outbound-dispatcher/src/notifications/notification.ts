import { deriveId, type DeadLetterFacts, type IncidentEventRecord, type PlatformEvent } from '@tocsin/contracts';

/** What somebody in the workspace should see (product P13). */
export const notificationKinds = [
  'incident-opened',
  'investigation-finished',
  'delivery-given-up',
  'receiver-failing',
  'receiver-disabled',
  'receiver-recovered',
  'sender-locked-out',
  'limit-reached',
  'dead-letters',
] as const;
export type NotificationKind = (typeof notificationKinds)[number];

export interface Notification {
  /** Derived from its cause: what comes again, or belongs to the same hour, is the same notification. */
  id: string;
  workspaceId: string;
  kind: NotificationKind;
  title: string;
  text: string;
  subjectId: string | null;
  url: string | null;
  /** When it rings. */
  at: string;
  /** It does not ring before `at`: what it tells of flaps. */
  held?: boolean;
}

/** Whether a webhook's incidents are told (product P14, `notify_workspace`). */
export type WantsIncidents = (webhookId: string) => boolean;
export type LinkTo = (path: string) => string;

const HOUR = 'yyyy-mm-ddThh'.length;
const hourOf = (at: string): string => at.slice(0, HOUR);
const said = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : '');
const short = (text: string): string => (text.length <= 500 ? text : `${text.slice(0, 499).toWellFormed()}…`);

export function ofIncident(record: IncidentEventRecord, wants: WantsIncidents, link: LinkTo): Notification | undefined {
  const { incident, event, outbound_name: name } = record;
  if (name !== 'incident.created' || incident.webhook_id === null || !wants(incident.webhook_id)) return undefined;
  return {
    id: deriveId('ntf', event.id),
    workspaceId: incident.workspace_id,
    kind: 'incident-opened',
    title: short(`Incident #${incident.number} opened: ${incident.title}`),
    text: [incident.severity, ...incident.services].join(', '),
    subjectId: incident.id,
    url: link(`/api/v1/incidents/${incident.id}`),
    ...ringingAt(event),
  };
}

/** What an alert that flaps has opened rings at the end of the hold, as receivers are told of it then. */
function ringingAt({ at, data }: IncidentEventRecord['event']): Pick<Notification, 'at' | 'held'> {
  const until = data['hold_until'];
  return typeof until === 'string' && until > at ? { at: until, held: true } : { at };
}

type Draft = Pick<Notification, 'kind' | 'title' | 'text'> & { subject: string; path: string; hourly?: boolean };

/** What a platform event is to people; undefined where it is nothing for the bell. */
export function ofPlatformEvent(event: PlatformEvent, wants: WantsIncidents, link: LinkTo): Notification | undefined {
  const draft = draftOf(event, wants);
  if (!draft) return undefined;
  const { kind, title, text, subject, path, hourly } = draft;
  return {
    id: hourly ? deriveId('ntf', kind, subject, hourOf(event.at)) : deriveId('ntf', event.id),
    ...{ workspaceId: event.workspaceId, kind, title: short(title), text: short(text) },
    ...{ subjectId: subject === '' ? null : subject, url: link(path), at: event.at },
  };
}

function draftOf({ name, data }: PlatformEvent, wants: WantsIncidents): Draft | undefined {
  const receiver = said(data['subscription_name']);
  const subscription = said(data['subscription_id']);
  const webhook = said(data['webhook_id']);
  const ofReceiver = { subject: subscription, path: `/api/v1/subscriptions/${subscription}` };
  const ofSender = { subject: webhook, path: `/api/v1/webhooks/${webhook}` };
  switch (name) {
    case 'conversation.completed':
      if (!wants(webhook)) return undefined;
      return {
        ...{ kind: 'investigation-finished', title: said(data['title']), text: said(data['summary']) },
        ...{ subject: said(data['incident_id']), path: `/api/v1/incidents/${said(data['incident_id'])}/rca` },
      };
    case 'delivery.exhausted': {
      const text = `${said(data['event_type'])} after ${said(data['attempts'])} attempts: ${said(data['reason'])}`;
      return {
        kind: 'delivery-given-up',
        title: `Deliveries to ${receiver} were given up`,
        text,
        hourly: true,
        ...ofReceiver,
      };
    }
    case 'subscription.failing':
      return {
        kind: 'receiver-failing',
        title: `${receiver} has been failing`,
        text: `since ${said(data['since'])}; it will be disabled at ${said(data['disables_at'])}`,
        ...ofReceiver,
      };
    case 'subscription.disabled':
      return {
        kind: 'receiver-disabled',
        title: `${receiver} was disabled`,
        text: `${said(data['reason'])}, failing since ${said(data['since'])}`,
        ...ofReceiver,
      };
    case 'subscription.recovered':
      return { kind: 'receiver-recovered', title: `${receiver} answers again`, text: '', ...ofReceiver };
    case 'webhook.locked_out':
      return {
        kind: 'sender-locked-out',
        title: `A sender of ${said(data['webhook_name'])} was locked out`,
        text: `${said(data['count'])} wrong credentials from ${said(data['client_network'])}`,
        ...ofSender,
      };
    case 'webhook.rate_limited':
      return {
        kind: 'limit-reached',
        title: `${said(data['webhook_name'])} is over its limit`,
        text: 'Requests above it are refused or rolled up.',
        ...ofSender,
      };
    default:
      return undefined;
  }
}

/** Records that could not be processed, one notification an hour. Those that belong to no workspace are for operators. */
export function ofDeadLetter(
  { workspaceId, reason, detail, topic, at }: DeadLetterFacts,
  link: LinkTo,
): Notification | undefined {
  if (workspaceId === null) return undefined;
  return {
    id: deriveId('ntf', 'dead-letters', hourOf(at)),
    ...{ workspaceId, kind: 'dead-letters', title: 'Records could not be processed' },
    text: short(`${topic}: ${reason}: ${detail}`),
    ...{ subjectId: null, url: link('/api/v1/dead-letters'), at },
  };
}
