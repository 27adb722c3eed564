import type { LifecycleReason } from '@tocsin/contracts';
import { event, type CommandContext } from './event.ts';
import type { IncidentEvent, IncidentEventType, PayloadErased } from './events.ts';
import type { ExistingIncident } from './state.ts';
import { redactEvent } from './redact.ts';

/** An event as it is stored, and whether its content has been erased. */
export interface KeptEvent {
  version: number;
  event: IncidentEvent;
  erased: boolean;
}

export interface Erasure {
  /** Versions of the events whose content goes; undefined = all of them. */
  versions: readonly number[] | undefined;
  note: string | null;
}

export type ErasureRefusal =
  | { refused: 'no-such-version'; version: number }
  /** While it is open, keys and texts are needed to join what comes: only remarks can go. */
  | { refused: 'still-open' };

/** Events that nothing but people look at. */
const REMARKS: ReadonlySet<IncidentEventType> = new Set<IncidentEventType>(['CommentAdded', 'RcaNoted']);

/** Which events lose their content: none that has lost it, and none that says so of others. */
export function toErase(
  { versions }: Erasure,
  incident: ExistingIncident,
  kept: readonly KeptEvent[],
): KeptEvent[] | ErasureRefusal {
  const missing = versions?.find((version) => !kept.some((one) => one.version === version));
  if (missing !== undefined) return { refused: 'no-such-version', version: missing };
  const chosen = kept.filter(
    ({ version, event: { type }, erased }) =>
      (versions === undefined || versions.includes(version)) && !erased && type !== 'PayloadErased',
  );
  if (incident.status !== 'resolved' && !(versions && chosen.every((one) => REMARKS.has(one.event.type))))
    return { refused: 'still-open' };
  return chosen;
}

/** The events as they are from now on. */
export const withErased = (kept: readonly KeptEvent[], chosen: readonly KeptEvent[]): IncidentEvent[] =>
  kept.map((one) => (chosen.includes(one) ? redactEvent(one.event) : one.event));

/** One event says of at most so many others that they were erased. */
const ERASED_MAX = 2_000;
const REASON: LifecycleReason = 'erased';

/** What the stream says of it. `payloads` = salt and digest of what stands where each content was, so that the chain vouches for it, too. */
export function erasedEvents(
  payloads: PayloadErased['data']['payloads'],
  note: string | null,
  context: CommandContext,
): PayloadErased[] {
  const parts = Array.from({ length: Math.ceil(payloads.length / ERASED_MAX) }, (_, part) =>
    payloads.slice(part * ERASED_MAX, (part + 1) * ERASED_MAX),
  );
  return parts.map((part) => event({ ...context, reason: REASON }, 'PayloadErased', { note, payloads: part }));
}
