export type IdleReason = 'subscription-paused' | 'subscription-disabled';

/** A delivery that is not sent for now, or not at all: logged only, kept for later, or waiting in the feed. */
export type Hold = { kind: 'skipped' | 'retained'; reason: IdleReason } | { kind: 'feed' };

/** Why nothing is sent to a subscriber at the moment, whether its events are kept meanwhile, and whether it fetches them. */
export interface Holding {
  idle?: { reason: IdleReason; keeps: boolean };
  pulls?: boolean;
}

/** How a subscriber's events are held; undefined where they are sent. */
export const holdOf = ({ idle, pulls }: Holding): Hold | undefined => {
  if (idle && !(idle.keeps && pulls)) return { kind: idle.keeps ? 'retained' : 'skipped', reason: idle.reason };
  return pulls ? { kind: 'feed' } : undefined;
};
/** Whether its deliveries follow each other in lanes: what is only logged or fetched needs none. */
export const isSentTo = (subscriber: Holding): boolean => {
  const hold = holdOf(subscriber);
  return !hold || hold.kind === 'retained';
};
