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
});
