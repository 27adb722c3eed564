import { createCipheriv, createDecipheriv, createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import type { SealedText, WorkspaceDocument } from '@tocsin/contracts';
import type { Random } from '../tokens.ts';
import { auditKeyOf, publicPem, signText } from './audit-key.ts';

/** Seals and opens the secrets of workspaces, and hashes what is only ever compared. */
export interface KeyRing {
  /** AES-256-GCM under the workspace's data key; workspace and row id are authenticated with it. */
  seal(workspace: Pick<WorkspaceDocument, 'id' | 'body'>, rowId: string, text: string): SealedText;
  /** @throws KeyRingError when the text was sealed for another row or workspace, or with a key that the ring lacks */
  open(workspace: Pick<WorkspaceDocument, 'id' | 'body'>, rowId: string, sealed: SealedText): string;
  /** A new random data key, wrapped by the ring's current key. */
  newDataKey(workspaceId: string): string;
  /** Hex HMAC-SHA-256 under the installation's pepper. */
  pepperedHmac(text: string): string;
  /** Seals bytes of this process itself (snapshots on disk) under the current key. */
  sealForDisk(purpose: string, bytes: Buffer): Buffer;
  openFromDisk(purpose: string, sealed: Buffer): Buffer;
  /** Signs with the ed25519 key that derives from the ring's current key. */
  signForAudit(text: string): { keyId: string; signature: string };
  /** PEM of the public half for a key of the ring; undefined where the ring lacks it. */
  auditPublicKey(keyId: string): string | undefined;
}

export class KeyRingError extends Error {
  constructor(
    readonly code: 'unknown-key' | 'not-authentic' | 'bad-key-ring',
    message: string,
  ) {
    super(message);
  }
}

const IV_BYTES = 12;
const TAG_BYTES = 16;
const VERSION = 'v1';
/** Opened data keys that are kept in memory at most; one per workspace. */
const CACHE_MAX = 10_000;

/** Parses `id:base64,…`. @throws KeyRingError when a key has not exactly 32 bytes */
export function parseKeyRing(text: string): Map<string, Buffer> {
  const keys = new Map<string, Buffer>();
  for (const entry of text.split(',')) {
    const [id = '', encoded = ''] = entry.split(/:(.*)/s);
    const key = Buffer.from(encoded, 'base64');
    if (!id || key.length !== 32)
      throw new KeyRingError('bad-key-ring', `TOCSIN_KEY_RING: key '${id}' must be 32 bytes of base64`);
    keys.set(id, key);
  }
  return keys;
}

function encrypt(key: Buffer, iv: Buffer, bound: string, plain: Buffer): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(bound));
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function decrypt(key: Buffer, iv: Buffer, bound: string, sealed: Buffer): Buffer {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(bound));
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()]);
  } catch {
    throw new KeyRingError('not-authentic', 'a sealed text does not belong here or was changed');
  }
}

class EnvelopeKeyRing implements KeyRing {
  private readonly current: string;
  private readonly dataKeys = new Map<string, Buffer>();
  private readonly pepper: KeyObject;

  constructor(
    private readonly keys: ReadonlyMap<string, Buffer>,
    pepper: string,
    private readonly random: Random,
  ) {
    this.pepper = createSecretKey(pepper, 'utf8');
    const [first] = keys.keys();
    if (!first) throw new KeyRingError('bad-key-ring', 'TOCSIN_KEY_RING holds no key');
    this.current = first;
  }

  seal(workspace: Pick<WorkspaceDocument, 'id' | 'body'>, rowId: string, text: string): SealedText {
    return this.wrap(this.dataKeyOf(workspace), 'dk', `${workspace.id}|${rowId}`, Buffer.from(text, 'utf8'));
  }

  open(workspace: Pick<WorkspaceDocument, 'id' | 'body'>, rowId: string, sealed: SealedText): string {
    return this.unwrap(() => this.dataKeyOf(workspace), `${workspace.id}|${rowId}`, sealed).toString('utf8');
  }

  newDataKey(workspaceId: string): string {
    return this.wrap(this.key(this.current), this.current, `data-key|${workspaceId}`, this.random(32));
  }

  pepperedHmac(text: string): string {
    return createHmac('sha256', this.pepper).update(text).digest('hex');
  }

  sealForDisk(purpose: string, bytes: Buffer): Buffer {
    return Buffer.from(this.wrap(this.key(this.current), this.current, `disk|${purpose}`, bytes));
  }

  openFromDisk(purpose: string, sealed: Buffer): Buffer {
    return this.unwrap((id) => this.key(id), `disk|${purpose}`, sealed.toString('utf8'));
  }

  signForAudit(text: string): { keyId: string; signature: string } {
    return { keyId: this.current, signature: signText(auditKeyOf(this.key(this.current)), text) };
  }

  auditPublicKey(keyId: string): string | undefined {
    const key = this.keys.get(keyId);
    return key && publicPem(auditKeyOf(key));
  }

  private wrap(key: Buffer, keyId: string, bound: string, plain: Buffer): string {
    const iv = this.random(IV_BYTES);
    return [VERSION, keyId, iv.toString('base64url'), encrypt(key, iv, bound, plain).toString('base64url')].join('.');
  }

  private unwrap(keyOf: (id: string) => Buffer, bound: string, sealed: string): Buffer {
    const [version, keyId = '', iv = '', body = ''] = sealed.split('.');
    if (version !== VERSION) throw new KeyRingError('not-authentic', 'a sealed text has an unknown form');
    return decrypt(keyOf(keyId), Buffer.from(iv, 'base64url'), bound, Buffer.from(body, 'base64url'));
  }

  private key(id: string): Buffer {
    const key = this.keys.get(id);
    if (!key) throw new KeyRingError('unknown-key', `TOCSIN_KEY_RING has no key '${id}'`);
    return key;
  }

  private dataKeyOf(workspace: Pick<WorkspaceDocument, 'id' | 'body'>): Buffer {
    const wrapped = workspace.body.wrappedDataKey;
    const cached = this.dataKeys.get(wrapped);
    if (cached) return cached;
    const key = this.unwrap((id) => this.key(id), `data-key|${workspace.id}`, wrapped);
    if (this.dataKeys.size >= CACHE_MAX) this.dataKeys.clear();
    this.dataKeys.set(wrapped, key);
    return key;
  }
}

/** @param keyRing `id:base64,…`, first = current @param pepper installation secret @param random strong random bytes */
export const createKeyRing = (keyRing: string, pepper: string, random: Random): KeyRing =>
  new EnvelopeKeyRing(parseKeyRing(keyRing), pepper, random);
