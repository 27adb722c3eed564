import type { IncidentEventType, PayloadErased } from './events.ts';
import { chainOf, GENESIS_CHAIN, type CommittedEvent } from './commit-chain.ts';
import { digestOf, GENESIS_HASH, hashOf, type EventMeta } from './event-hash.ts';

/** What an audit can find, and the closed list of its codes. */
export const auditCodes = [
  'event-missing',
  'event-changed',
  'chain-broken',
  'payload-changed',
  'payload-missing',
  'erasure-not-authentic',
  'erasure-undone',
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
  /** `erasedBy`: version of the event that says that the content was erased; null where it is the first one still. */
  payload: { salt: Uint8Array; body: Uint8Array; erasedBy?: number | null } | null;
}

/** An event that says that contents were erased: who did it, and of which versions. */
export interface Erased {
  stream: string;
  version: number;
  at: string;
  actor: EventMeta['actor'];
  versions: number[];
}

const placeOf = ({ stream, version }: Pick<AuditedEvent, 'stream' | 'version'>): string =>
  `${stream} version ${version}`;

/** Follows the chains of streams: events come by stream and version, each stream in one piece; `end` after the last. */
export class StreamAudit {
  private stream = '';
  private version = 0;
  private hash = GENESIS_HASH;
  /** Contents of this stream that are not the first ones, by version: a later event must vouch for what stands there. */
  private readonly replaced = new Map<number, { digest: string; erasedBy: number }>();

  constructor(private readonly onErased: (erased: Erased) => void = () => undefined) {}

  /** What is wrong with the next event. */
  next(event: AuditedEvent): AuditFinding[] {
    const found: AuditFinding[] = event.stream === this.stream ? [] : this.end();
    this.stream = event.stream;
    const say = (code: AuditCode, detail: string) => found.push({ code, at: placeOf(event), detail });
    if (event.version !== this.version + 1)
      say('event-missing', `the event before it has version ${this.version === 0 ? 'none' : this.version}`);
    else if (event.prevHash !== this.hash) say('chain-broken', 'prev_hash is not the hash of the event before it');
    const { stream, version, type, meta, digest } = event;
    if (hashOf(event.prevHash, { stream, version, type, meta, digest }) !== event.hash)
      say('event-changed', 'its hash does not fit what is stored');
    found.push(...this.payload(event));
    [this.version, this.hash] = [version, event.hash];
    return found;
  }

  /** What is wrong with the stream as a whole. */
  end(): AuditFinding[] {
    const found = [...this.replaced].map(([version, { erasedBy }]): AuditFinding => {
      const detail = `no event of version ${erasedBy} says that its content was erased`;
      return { code: 'erasure-not-authentic', at: placeOf({ stream: this.stream, version }), detail };
    });
    [this.version, this.hash] = [0, GENESIS_HASH];
    this.replaced.clear();
    return found;
  }

  private payload(event: AuditedEvent): AuditFinding[] {
    const { payload, version, digest } = event;
    const at = placeOf(event);
    if (!payload) return [{ code: 'payload-missing', at, detail: 'its content is not there' }];
    const actual = digestOf(payload.salt, payload.body);
    const { erasedBy } = payload;
    if (erasedBy !== null && erasedBy !== undefined) {
      this.replaced.set(version, { digest: actual, erasedBy });
      return [];
    }
    if (actual !== digest) return [{ code: 'payload-changed', at, detail: 'its content does not fit the digest' }];
    return event.type === 'PayloadErased' ? this.erasures(event, payload.body) : [];
  }

  /** The content of this event fits the chain, so what it says of others is to be believed. */
  private erasures({ stream, version: eraser, meta }: AuditedEvent, body: Uint8Array): AuditFinding[] {
    const { payloads } = JSON.parse(Buffer.from(body).toString('utf8')) as PayloadErased['data'];
    this.onErased({
      ...{ stream, version: eraser, at: meta.at, actor: meta.actor },
      versions: payloads.map(({ version }) => version),
    });
    return payloads.flatMap(({ version, digest }): AuditFinding[] => {
      const stands = this.replaced.get(version);
      const at = placeOf({ stream, version });
      if (stands?.erasedBy !== eraser)
        return [{ code: 'erasure-undone', at, detail: `version ${eraser} says that its content was erased` }];
      this.replaced.delete(version);
      if (stands.digest === digest) return [];
      const detail = `what stands in its place is not what version ${eraser} says`;
      return [{ code: 'erasure-not-authentic', at, detail }];
    });
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
