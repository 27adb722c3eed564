import { randomBytes, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createKeyRing, parseKeyRing } from './key-ring.ts';

const key = (id: string) => `${id}:${randomBytes(32).toString('base64')}`;
const workspace = (ring: ReturnType<typeof createKeyRing>, id: string) => ({
  id,
  body: { name: id, slug: id, wrappedDataKey: ring.newDataKey(id) },
});

describe('a key ring', () => {
  const current = key('k1');
  const ring = createKeyRing(current, 'a pepper of some length', randomBytes);

  it('opens what it sealed', () => {
    const ws = workspace(ring, 'ws_a');
    expect(ring.open(ws, 'whk_1', ring.seal(ws, 'whk_1', 'geheim ✓'))).toBe('geheim ✓');
  });

  it('refuses a sealed text that was moved to another row', () => {
    const ws = workspace(ring, 'ws_a');
    expect(() => ring.open(ws, 'whk_2', ring.seal(ws, 'whk_1', 'x'))).toThrow(/does not belong/);
  });

  it('refuses a sealed text that was moved to another workspace', () => {
    const [a, b] = [workspace(ring, 'ws_a'), workspace(ring, 'ws_b')];
    expect(() => ring.open(b, 'whk_1', ring.seal(a, 'whk_1', 'x'))).toThrow(/does not belong/);
  });

  it('still opens after a new key came first', () => {
    const ws = workspace(ring, 'ws_a');
    const sealed = ring.seal(ws, 'whk_1', 'x');
    const rotated = createKeyRing(`${key('k2')},${current}`, 'a pepper of some length', randomBytes);
    expect(rotated.open(ws, 'whk_1', sealed)).toBe('x');
    expect(rotated.newDataKey('ws_a')).toMatch(/^v1\.k2\./);
  });

  it('names the key that a ring lacks', () => {
    const ws = workspace(ring, 'ws_a');
    const other = createKeyRing(key('k9'), 'a pepper of some length', randomBytes);
    expect(() => other.open(ws, 'whk_1', ring.seal(ws, 'whk_1', 'x'))).toThrow(/no key 'k1'/);
  });

  it('refuses a key that is not 32 bytes long', () => {
    expect(() => parseKeyRing('k1:AAAA')).toThrow(/'k1' must be 32 bytes/);
  });

  it('seals for disk and binds the purpose', () => {
    const sealed = ring.sealForDisk('snapshot', Buffer.from('content'));
    expect(ring.openFromDisk('snapshot', sealed).toString()).toBe('content');
    expect(() => ring.openFromDisk('other', sealed)).toThrow(/does not belong/);
  });

  it('signs for the audit with a key that derives from the ring, and shows its public half', () => {
    const { keyId, signature } = ring.signForAudit('a checkpoint');
    expect(keyId).toBe('k1');
    const pem = ring.auditPublicKey(keyId) ?? '';
    expect(verify(null, Buffer.from('a checkpoint'), pem, Buffer.from(signature, 'base64'))).toBe(true);
    expect(verify(null, Buffer.from('another'), pem, Buffer.from(signature, 'base64'))).toBe(false);
    const rotated = createKeyRing(`${key('k2')},${current}`, 'a pepper of some length', randomBytes);
    expect(rotated.auditPublicKey('k1')).toBe(pem);
    expect(rotated.signForAudit('x').keyId).toBe('k2');
    expect(rotated.auditPublicKey('k9')).toBeUndefined();
  });
});
