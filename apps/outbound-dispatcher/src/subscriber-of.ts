import type { SubscriptionBody, SubscriptionDocument } from '@tocsin/contracts';
import { filterReader, readFilter, type BodyForm, type OutboundEvent, type Subscriber } from '@tocsin/domain/delivery';
import { readTemplate } from '@tocsin/domain/template';
import { templateAccepts, vendorForm } from './vendor-request.ts';

/** Documents are replaced when they change, never altered: what was made of one holds as long as it is there. */
const made = new WeakMap<SubscriptionDocument, Subscriber>();
const passes = filterReader();

/** What planning must know of a subscription. */
export function subscriberOf(document: SubscriptionDocument): Subscriber {
  let subscriber = made.get(document);
  if (!subscriber) made.set(document, (subscriber = makeSubscriber(document)));
  return subscriber;
}

function makeSubscriber({ id, workspaceId, revision, body }: SubscriptionDocument): Subscriber {
  const keeps = body.retainWhilePaused === true;
  const filter = filterOf(body);
  return {
    ...{ id, workspaceId, revision, events: body.events, keeps },
    updateIntervalSeconds: body.updateIntervalSeconds,
    firstDelaySeconds: body.retrySchedule[0] ?? 0,
    form: formOf(body),
    occurrences: body.occurrences === true,
    legacyUpdates: body.legacyUpdates === true,
    pulls: body.delivery === 'pull',
    ordered: body.ordering !== 'none',
    ...(body.active ? {} : { idle: { reason: 'subscription-paused', keeps } }),
    accepts: (event) => templateAccepts(body, event) && (filter?.(event) ?? true),
  };
}

/** A filter that was checked at save and cannot be read any more takes nothing: it may have kept something back. */
function filterOf({ filter }: SubscriptionBody): ((event: OutboundEvent) => boolean) | undefined {
  if (filter === undefined || filter === null) return undefined;
  const read = readFilter(filter, 'filter');
  return read.ok ? (event) => passes(read.condition, event) : () => false;
}

/** A template that was checked at save and cannot be read any more gives way to the envelope. */
function formOf({ envelope, transform, template }: SubscriptionBody): BodyForm {
  const otherwise = (template && vendorForm(template)) ?? { key: envelope, rendering: { envelope } };
  if (transform === undefined || transform === null) return otherwise;
  const read = readTemplate(transform, 'transform');
  return read.ok ? { key: JSON.stringify(transform), rendering: { envelope, transform: read.template } } : otherwise;
}
