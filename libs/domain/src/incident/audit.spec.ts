import { describe, expect, it } from 'vitest';
import { OrderAudit, StreamAudit, type AuditedEvent, type AuditedPlace, type AuditFinding } from './audit.ts';
import { chainOf, GENESIS_CHAIN } from './commit-chain.ts';
import { digestOf, GENESIS_HASH, hashOf, type EventMeta } from './event-hash.ts';

const meta = (version: number): EventMeta => ({
  ...{ id: `evt_${version}`, workspace_id: 'ws_1', schema_version: 1, at: '2026-01-01T00:00:00.000Z' },
  ...{ actor: { kind: 'system', id: null, name: null }, cause_id: 'c', cause_ordinal: version },
  ...{ reason: null, config_revision: 1 },
});

function history(length: number, stream = 'inc_1'): AuditedEvent[] {
  const events: AuditedEvent[] = [];
  let prevHash = GENESIS_HASH;
  for (let version = 1; version <= length; version += 1) {
    const payload = { salt: Buffer.alloc(16, version), body: Buffer.from(`{"n":${version}}`) };
    const digest = digestOf(payload.salt, payload.body);
    const type = version === 1 ? 'IncidentOpened' : 'CommentAdded';
    const hash = hashOf(prevHash, { stream, version, type, meta: meta(version), digest });
    events.push({ stream, version, type, meta: meta(version), digest, prevHash, hash, payload });
    prevHash = hash;
  }
  return events;
}
const codes = (found: AuditFinding[]) => found.map(({ code, at }) => `${code} ${at}`);
const audit = (events: AuditedEvent[]): string[] => {
  const streams = new StreamAudit();
  return codes(events.flatMap((event) => streams.next(event)));
};
const changed = (events: AuditedEvent[], at: number, change: Partial<AuditedEvent>): AuditedEvent[] =>
  events.map((event, index) => (index === at ? { ...event, ...change } : event));

describe('an audit of streams', () => {
  it('finds nothing in whole streams, one after the other', () => {
    expect(audit([...history(3), ...history(2, 'inc_2')])).toEqual([]);
  });

  it.each<[string, (events: AuditedEvent[]) => AuditedEvent[], string[]]>([
    ['an edited field', (e) => changed(e, 1, { meta: { ...meta(2), reason: 'x' } }), ['event-changed inc_1 version 2']],
    ['another type', (e) => changed(e, 1, { type: 'IncidentResolved' }), ['event-changed inc_1 version 2']],
    ['a deleted event', (e) => e.filter((_, index) => index !== 1), ['event-missing inc_1 version 3']],
    ['a deleted beginning', (e) => e.slice(1), ['event-missing inc_1 version 2']],
    [
      'events that changed places',
      (e) => [e[0]!, { ...e[2]!, version: 2 }, { ...e[1]!, version: 3 }],
      [
        ...['chain-broken inc_1 version 2', 'event-changed inc_1 version 2'],
        ...['chain-broken inc_1 version 3', 'event-changed inc_1 version 3'],
      ],
    ],
    [
      'contents that changed places',
      (e) => changed(changed(e, 1, { payload: e[2]!.payload }), 2, { payload: e[1]!.payload }),
      ['payload-changed inc_1 version 2', 'payload-changed inc_1 version 3'],
    ],
    ['a content that is gone', (e) => changed(e, 2, { payload: null }), ['payload-missing inc_1 version 3']],
    [
      'an event that was put in with a hash of its own',
      (e) => {
        const forged = { ...e[1]!, meta: meta(9) };
        const { stream, version, type, digest } = forged;
        return changed(e, 1, { ...forged, hash: hashOf(e[0]!.hash, { stream, version, type, meta: meta(9), digest }) });
      },
      ['chain-broken inc_1 version 3'],
    ],
  ])('finds %s', (_name, change, wanted) => {
    expect(audit(change(history(3)))).toEqual(wanted);
  });
});

describe('an audit of a stream with erased contents', () => {
  /** Version 2 was erased by version 3, which names what stands there now. */
  function erased(): AuditedEvent[] {
    const [first, second] = history(2) as [AuditedEvent, AuditedEvent];
    const payload = { salt: Buffer.alloc(16, 9), body: Buffer.from('{"n":null}'), erasedBy: 3 };
    const said = { version: 2, salt: payload.salt.toString('hex'), digest: digestOf(payload.salt, payload.body) };
    const own = { salt: Buffer.alloc(16, 3), body: Buffer.from(JSON.stringify({ note: null, payloads: [said] })) };
    const digest = digestOf(own.salt, own.body);
    const place = { stream: 'inc_1', version: 3, type: 'PayloadErased' as const, meta: meta(3), digest };
    const third = { ...place, prevHash: second.hash, hash: hashOf(second.hash, place), payload: own };
    return [first, { ...second, payload }, third];
  }

  it('finds nothing, and says what was erased', () => {
    const told: unknown[] = [];
    const streams = new StreamAudit((one) => told.push(one));
    expect([...erased().flatMap((event) => streams.next(event)), ...streams.end()]).toEqual([]);
    expect(told).toMatchObject([{ stream: 'inc_1', version: 3, versions: [2], actor: { kind: 'system' } }]);
  });

  it.each<[string, (e: AuditedEvent[]) => AuditedEvent[], string[]]>([
    [
      'another content in the place',
      (e) => changed(e, 1, { payload: { ...e[1]!.payload!, body: Buffer.from('{}') } }),
      ['erasure-not-authentic inc_1 version 2'],
    ],
    [
      'the old content back in its place',
      (e) => changed(e, 1, { payload: history(2)[1]!.payload }),
      ['erasure-undone inc_1 version 2'],
    ],
    ['an erasure that no event tells of', (e) => e.slice(0, 2), ['erasure-not-authentic inc_1 version 2']],
    [
      'an erasure that names another event',
      (e) => changed(e, 1, { payload: { ...e[1]!.payload!, erasedBy: 4 } }),
      ['erasure-undone inc_1 version 2', 'erasure-not-authentic inc_1 version 2'],
    ],
  ])('finds %s', (_name, change, wanted) => {
    const streams = new StreamAudit();
    const found = [...change(erased()), ...history(1, 'inc_2')].flatMap((event) => streams.next(event));
    expect(codes([...found, ...streams.end()])).toEqual(wanted);
  });
});

describe('an audit of the order', () => {
  function places(length: number): AuditedPlace[] {
    let chain = GENESIS_CHAIN;
    return Array.from({ length }, (_, index) => {
      const at = { position: BigInt(index + 1), stream: `inc_${index}`, version: 1, hash: `hash ${index}` };
      chain = chainOf(chain, at);
      return { ...at, chain, eventHash: at.hash };
    });
  }
  const found = (list: AuditedPlace[]): string[] => {
    const order = new OrderAudit();
    return codes(list.flatMap((place) => order.next(place)));
  };

  it('finds nothing in a whole order, and knows its head', () => {
    const order = new OrderAudit();
    const list = places(3);
    for (const place of list) expect(order.next(place)).toEqual([]);
    expect(order.head).toEqual({ position: 3n, chain: list[2]!.chain });
  });

  it.each<[string, (list: AuditedPlace[]) => AuditedPlace[], string[]]>([
    ['a place that is gone', (p) => [p[0]!, p[2]!], ['order-gap position 3']],
    [
      'two that changed places',
      (p) => [p[0]!, { ...p[2]!, position: 2n }, { ...p[1]!, position: 3n }],
      ['order-changed position 2', 'order-changed position 3'],
    ],
    [
      'an event that is gone or another',
      (p) => [
        { ...p[0]!, eventHash: null },
        { ...p[1]!, eventHash: 'other' },
      ],
      ['order-names-other-event position 1', 'order-names-other-event position 2'],
    ],
  ])('finds %s', (_name, change, wanted) => {
    expect(found(change(places(3)))).toEqual(wanted);
  });
});
