import { createHash } from 'node:crypto';
import type { Actor } from '@tocsin/contracts';
import canonicalize from 'canonicalize';

/** What the chain covers beside the content. It is public, so that whoever has the records can follow the chain. */
export interface EventMeta {
  id: string;
  workspace_id: string;
  schema_version: number;
  at: string;
  actor: Actor;
  cause_id: string;
  cause_ordinal: number;
  reason: string | null;
  config_revision: number;
}

export interface HashedEvent {
  stream: string;
  version: number;
  type: string;
  meta: EventMeta;
  /** Hex. */
  digest: string;
}

/** `prev_hash` of a stream's first event. */
export const GENESIS_HASH = '0'.repeat(64);
export const SALT_BYTES = 16;

/** SHA-256(salt ‖ body), hex. `body` is the stored bytes: erasing them later leaves the chain whole, the salt hides short contents. */
export const digestOf = (salt: Uint8Array, body: Uint8Array): string =>
  createHash('sha256').update(salt).update(body).digest('hex');

/**
 * SHA-256(prev_hash ‖ RFC 8785 canonical JSON of {stream, version, type, meta, digest}), hex (settled, Event hash).
 * `prev_hash` goes in as its 64 hexadecimal characters.
 */
export function hashOf(prevHash: string, event: HashedEvent): string {
  const { stream, version, type, meta, digest } = event;
  const text = canonicalize({ stream, version, type, meta, digest });
  if (text === undefined) throw new TypeError('an event without JSON form cannot be hashed');
  return createHash('sha256').update(prevHash, 'ascii').update(text, 'utf8').digest('hex');
}
