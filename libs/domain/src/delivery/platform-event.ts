import type { PlatformEvent } from '@tocsin/contracts';
import { renderBody, type RenderedBody } from './envelope.ts';
import type { BodyForm, OutboundEvent } from './plan.ts';

/** What the catalogue's events beside those of incidents become: they keep no order, and each is sent as it is. */
export function outboundEventOfPlatform(event: PlatformEvent): OutboundEvent {
  const { id, name, workspaceId, at, data } = event;
  const bodies = new Map<string, RenderedBody>(); // a thousand subscriptions share one text
  const envelope = { id, type: name, timestamp: at, workspace_id: workspaceId, data };
  const { subscription_id: about } = data;
  return {
    ...{ id, name, workspaceId, incidentId: null, sequence: null, at: new Date(at), changed: [], coalesces: false },
    // What is said of a receiver is not said to it: it may be the one that does not answer.
    ...(META_OF_RECEIVERS.has(name) && typeof about === 'string' ? { notTo: about } : {}),
    render: (_changed, form: BodyForm) => {
      const body = bodies.get(form.key) ?? renderBody(envelope, form.rendering);
      bodies.set(form.key, body);
      return body;
    },
  };
}

const META_OF_RECEIVERS = new Set<string>([
  ...['delivery.exhausted', 'subscription.failing', 'subscription.disabled', 'subscription.recovered'],
]);
