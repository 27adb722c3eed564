import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf, GENESIS_HASH, hashOf, type HashedEvent } from './event-hash.ts';
import golden from './event-hash.golden.json' with { type: 'json' };

const salt = Buffer.from(golden.salt, 'hex');
const event = { ...golden.event, digest: digestOf(salt, Buffer.from(golden.body, 'utf8')) } as HashedEvent;

describe('the event hash', () => {
  it('gives the committed golden vector', () => {
    expect(event.digest).toBe(golden.digest);
    expect(hashOf(GENESIS_HASH, event)).toBe(golden.hash);
    expect(hashOf(golden.hash, { ...event, version: 2 })).toBe(golden.next_hash);
  });

  it('does not depend on the order of keys, and does on every value', () => {
    const { meta, stream, version, type, digest } = event;
    const shuffled = {
      digest,
      meta: Object.fromEntries(Object.entries(meta).reverse()) as unknown as typeof meta,
      type,
      version,
      stream,
    };
    expect(hashOf(GENESIS_HASH, shuffled)).toBe(golden.hash);
    for (const changed of [
      { version: 2 },
      { type: 'CommentAdded' },
      { stream: 'inc_b' },
      { meta: { ...meta, reason: 'x' } },
    ])
      expect(hashOf(GENESIS_HASH, { ...event, ...changed })).not.toBe(golden.hash);
  });

  it('hides equal bodies behind their salts', () => {
    expect(digestOf(Buffer.alloc(16, 1), Buffer.from('{}'))).not.toBe(digestOf(Buffer.alloc(16, 2), Buffer.from('{}')));
  });

  it('is that of the canonical JSON, whatever an event holds', () => {
    const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }), fc.constant('\\ud800'));
    const said = fc.oneof(text, fc.constant(null));
    const number = fc.oneof(fc.nat(), fc.integer(), fc.constantFrom(-0, 1.5, 1e21, Number.NaN, Infinity));
    const meta = fc.record({
      ...{ id: text, workspace_id: text, schema_version: number, at: text, cause_id: text, cause_ordinal: number },
      ...{ reason: said, config_revision: number },
      actor: fc.oneof(fc.record({ kind: text, id: said, name: said }), fc.constant(null), fc.object({ maxDepth: 2 })),
    });
    const anyEvent = fc.record({ stream: text, version: number, type: text, meta, digest: text });
    const plainHash = (prev: string, one: unknown) =>
      createHash('sha256')
        .update(prev, 'ascii')
        .update(canonicalize(one) ?? '', 'utf8')
        .digest('hex');
    const outcome = (of: () => string) => {
      try {
        return of();
      } catch (error) {
        return (error as Error).message;
      }
    };
    fc.assert(
      fc.property(anyEvent, (one) => {
        const hashed = outcome(() => hashOf(golden.hash, one as unknown as HashedEvent));
        expect(hashed).toBe(outcome(() => plainHash(golden.hash, one)));
      }),
      { numRuns: 2_000 },
    );
  });
});
