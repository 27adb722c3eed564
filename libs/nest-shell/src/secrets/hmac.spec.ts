import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { hmacWith } from './hmac.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 200 });

it('is the HMAC-SHA-256 of every text under every key', () => {
  fc.assert(
    fc.property(text, fc.array(text, { minLength: 1, maxLength: 3 }), (key, texts) => {
      const hmac = hmacWith(key);
      for (const one of texts) expect(hmac(one)).toBe(createHmac('sha256', key).update(one).digest('hex'));
    }),
  );
});
