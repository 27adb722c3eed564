import type { EventTypeName } from '@tocsin/contracts';
import { textOf } from '../template/text-of.ts';
import type { Message } from './message.ts';
import type { TemplateEvent } from './vendor-template.ts';

/** Events that are worth a ticket of their own. Later ones of an incident would open another: those are for two-way sync. */
export const ticketEvents: readonly EventTypeName[] = [
  'incident.created',
  'recommendation.created',
  'finding.created',
  'compliance.changed',
  'task.failed',
  'approval.requested',
  'resource.discovered',
  'resource.changed',
  'resource.deleted',
  'delivery.exhausted',
  'subscription.disabled',
  'webhook.locked_out',
  'webhook.rate_limited',
];

/** The text of a ticket in plain paragraphs. */
export const paragraphsOf = ({ description, facts, link }: Message): string[] => [
  ...(description === '' ? [] : [description]),
  ...(facts.length === 0 ? [] : [facts.map(({ name, value }) => `${name}: ${value}`).join('\n')]),
  ...(link === null ? [] : [link]),
];

export const subjectIdOf = ({ id, data }: TemplateEvent): string => textOf(data['id']) || id;

/** Number or key of a record as a vendor gives it; what does not look like one is none. */
export const recordKey = (given: unknown): string | undefined =>
  typeof given === 'string' && /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,254}$/.test(given) ? given : undefined;
