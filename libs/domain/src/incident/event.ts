import type { Actor } from '@tocsin/contracts';
import type { IncidentEvent } from './events.ts';

export interface CommandContext {
  at: string;
  actor: Actor;
  causeId: string;
  configRevision: number;
  /** `If-Match`: the version that the caller has seen. */
  expectedVersion?: number;
}

/** Who, when and by which cause; `reason` where there is a code for why. */
export type EventContext = Omit<CommandContext, 'expectedVersion'> & { reason?: string | null };

type DataOf<Type extends IncidentEvent['type']> = Extract<IncidentEvent, { type: Type }>['data'];

/** One event of the newest schema version. */
export function event<Type extends IncidentEvent['type']>(
  context: EventContext,
  type: Type,
  data: DataOf<Type>,
): Extract<IncidentEvent, { type: Type }> {
  const { at, actor, causeId, configRevision, reason = null } = context;
  return { type, schemaVersion: 1, at, actor, causeId, reason, configRevision, data } as Extract<
    IncidentEvent,
    { type: Type }
  >;
}
