import type { LifecycleReason } from '@tocsin/contracts';
import { event, type EventContext } from './event.ts';
import type { IncidentDeclared } from './events.ts';

/** What a person says of an incident that no alert has opened. */
export type IncidentDraft = Omit<IncidentDeclared['data'], 'number'>;

const OPENED_BY_HAND: LifecycleReason = 'opened-by-hand';

/** A new incident by hand. The number is allotted when it is stored. */
export const declareIncident = (draft: IncidentDraft, context: EventContext): IncidentDeclared =>
  event({ reason: OPENED_BY_HAND, ...context }, 'IncidentDeclared', { ...draft, number: 0 });
