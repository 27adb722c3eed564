import type { IncidentEventType } from './events.ts';
import { chainOf, GENESIS_CHAIN, type CommittedEvent } from './commit-chain.ts';
import { digestOf, GENESIS_HASH, hashOf, type EventMeta } from './event-hash.ts';

/** What an audit can find, and the closed list of its codes. */
export const auditCodes = [
  'event-missing',
  'event-changed',
  'chain-broken',
  'payload-changed',
  'payload-missing',
  'head-differs',
  'order-gap',
  'order-changed',
  'order-names-other-event',
  'event-unordered',
  'checkpoint-not-authentic',
  'checkpoint-differs',
] as const;
export type AuditCode = (typeof auditCodes)[number];

export interface AuditFinding {
  code: AuditCode;
  /** Where: a stream and version, or a position. */
  at: string;
  detail: string;
}

/** A row of the log as it is stored, with its payload. */
export interface AuditedEvent {
  stream: string;
  version: number;
  type: IncidentEventType;
  meta: EventMeta;
  digest: string;
  prevHash: string;
  hash: string;
  payload: { salt: Uint8Array; body: Uint8Array } | null;
}

const placeOf = ({ stream, version }: Pick<AuditedEvent, 'stream' | 'version'>): string =>
  `${stream} version ${version}`;

/** Follows the chains of streams: events come by stream and version, each stream in one piece. */
export class StreamAudit {
  private stream = '';
  private version = 0;
  private hash = GENESIS_HASH;

  /** What is wrong with the next event. */
  next(event: AuditedEvent): AuditFinding[] {
    if (event.stream !== this.stream) [this.stream, this.version, this.hash] = [event.stream, 0, GENESIS_HASH];
    const found: AuditFinding[] = [];
    const say = (code: AuditCode, detail: string) => found.push({ code, at: placeOf(event), detail });
    if (event.version !== this.version + 1)
      say('event-missing', `the event before it has version ${this.version === 0 ? 'none' : this.version}`);
    else if (event.prevHash !== this.hash) say('chain-broken', 'prev_hash is not the hash of the event before it');
    const { stream, version, type, meta, digest } = event;
    if (hashOf(event.prevHash, { stream, version, type, meta, digest }) !== event.hash)
      say('event-changed', 'its hash does not fit what is stored');
    if (!event.payload) say('payload-missing', 'its content is not there');
    else if (digestOf(event.payload.salt, event.payload.body) !== digest)
      say('payload-changed', 'its content does not fit the digest');
    [this.version, this.hash] = [version, event.hash];
    return found;
  }
}

/** A row of the commit order, with the hash that its event has in the log; null where there is no such event. */
export interface AuditedPlace extends CommittedEvent {
  chain: string;
  eventHash: string | null;
}

/** Follows the order over all streams; places come by position. */
export class OrderAudit {
  private position = 0n;
  private chain = GENESIS_CHAIN;

  next(place: AuditedPlace): AuditFinding[] {
    const found: AuditFinding[] = [];
    const say = (code: AuditCode, detail: string) => found.push({ code, at: `position ${place.position}`, detail });
    if (place.position !== this.position + 1n) say('order-gap', `the place before it is ${this.position}`);
    else if (chainOf(this.chain, place) !== place.chain) say('order-changed', 'the chain does not fit what is stored');
    if (place.eventHash !== place.hash)
      say(
        'order-names-other-event',
        `${placeOf(place)} ${place.eventHash === null ? 'does not exist' : 'has another hash'}`,
      );
    [this.position, this.chain] = [place.position, place.chain];
    return found;
  }

  /** The place that was seen last. */
  get head(): { position: bigint; chain: string } {
    return { position: this.position, chain: this.chain };
  }
}
