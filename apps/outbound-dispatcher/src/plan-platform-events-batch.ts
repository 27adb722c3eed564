import { readPlatformEvent, type PoisonReason, type PlatformEvent } from '@tocsin/contracts';
import { outboundEventOfPlatform } from '@tocsin/domain/delivery';
import type { Source } from '@tocsin/event-log';
import type { ConfigurationFeed } from '@tocsin/nest-shell';
import { deadLetterOf, type Input, type Stage } from '@tocsin/postgres';
import { planEvents, readSubscriptions, type PlanParts, type Subscriptions } from './plan-deliveries-batch.ts';

export interface PlatformParts extends Omit<PlanParts, 'feed' | 'incidentUrl'> {
  feed: Pick<ConfigurationFeed, 'subscriptions' | 'workspace' | 'refresh'>;
  /** Where the batch was read, for its dead letters. */
  source: Source;
}

type Read = { event: PlatformEvent } | { refused: { reason: PoisonReason; detail: string } };

/**
 * Plans deliveries for the catalogue's other events. What another service wrote wrongly goes to `dead-letters` as an output of its own:
 * a publisher that errs a hundred times a minute is no defect of ours, and must not halt the partition that others use.
 */
export const planPlatformEventsStage = (parts: PlatformParts): Stage<Subscriptions> => ({
  async load(inputs) {
    const unknown = inputs.map(eventIn).some((event) => event && !parts.feed.workspace(event.workspaceId));
    if (unknown) await parts.feed.refresh(); // a workspace that is younger than what this process has read
    return readSubscriptions(parts.feed);
  },

  async apply(tx, inputs, subscriptions) {
    const reads = inputs.map((input) => ({ input, read: read(input, parts.feed) }));
    const events = reads.flatMap(({ read: one }) => ('event' in one ? one.event : []));
    const { stored, committed } = await planEvents(tx, events.map(outboundEventOfPlatform), subscriptions, parts);
    await parts.board?.platformEvents(tx, events);
    return {
      verdicts: inputs.map(() => ({ kind: 'handled' })),
      outputs: reads.flatMap(({ input, read: one }) =>
        'refused' in one
          ? deadLetterOf('outbound-dispatcher', parts.source, parts.clock(), { input, ...one.refused })
          : [],
      ),
      writes: stored,
      committed,
    };
  },

  forget: () => undefined, // keeps no cache
});

function eventIn(input: Input): PlatformEvent | undefined {
  const found = readPlatformEvent(input);
  return 'event' in found ? found.event : undefined;
}

function read(input: Input, feed: Pick<ConfigurationFeed, 'workspace'>): Read {
  const found = readPlatformEvent(input);
  if ('refused' in found || feed.workspace(found.event.workspaceId)) return found;
  const detail = `tocsinworkspace: there is no workspace ${found.event.workspaceId.slice(0, 100)}`;
  return { refused: { reason: 'schema-mismatch', detail } };
}
