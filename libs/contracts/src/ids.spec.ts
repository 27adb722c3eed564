import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { base32, deriveId, mintId } from './ids.ts';

/** RFC 4648 as it reads: the bits in a row, five at a time. */
const digits = (bytes: Uint8Array): string =>
  (
    [...bytes]
      .map((byte) => byte.toString(2).padStart(8, '0'))
      .join('')
      .match(/.{1,5}/g) ?? []
  )
    .map((five) => 'abcdefghijklmnopqrstuvwxyz234567'[Number.parseInt(five.padEnd(5, '0'), 2)])
    .join('');

describe('base32', () => {
  // RFC 4648, section 10, in lower case and without padding.
  it.each([
    ['', ''],
    ['f', 'my'],
    ['fo', 'mzxq'],
    ['foo', 'mzxw6'],
    ['foob', 'mzxw6yq'],
    ['fooba', 'mzxw6ytb'],
    ['foobar', 'mzxw6ytboi'],
  ])('of %j is %j', (text, expected) => expect(base32(Buffer.from(text))).toBe(expected));

  it('is that of the standard for any bytes', () =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
        expect(base32(bytes)).toBe(digits(bytes));
      }),
    ));
});

describe('ids', () => {
  it('that are derived are 128 bits of the hash over their parts and the lengths of these', () => {
    const digest = createHash('sha256').update('2:ab3:c\u00e9').digest();
    expect(deriveId('inc', 'ab', 'c\u00e9')).toBe(`inc_${digits(digest.subarray(0, 16))}`);
    expect(deriveId('inc', 'ab', Buffer.from('c\u00e9'))).toBe(deriveId('inc', 'ab', 'c\u00e9'));
    expect(deriveId('inc', 'a', 'bc\u00e9')).not.toBe(deriveId('inc', 'ab', 'c\u00e9'));
  });

  it('that are minted are the given bytes', () =>
    expect(mintId('evt', Buffer.alloc(16, 0xff))).toBe(`evt_${'7'.repeat(25)}4`));
});
