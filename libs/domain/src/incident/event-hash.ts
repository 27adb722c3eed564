import { hash } from 'node:crypto';
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
  hash('sha256', Buffer.concat([salt, body]), 'hex');

/**
 * SHA-256(prev_hash ‖ RFC 8785 canonical JSON of {stream, version, type, meta, digest}), hex (settled, Event hash).
 * `prev_hash` goes in as its 64 hexadecimal characters.
 */
export function hashOf(prevHash: string, event: HashedEvent): string {
  const text = canonicalText(event);
  if (text === undefined) throw new TypeError('an event without JSON form cannot be hashed');
  return hash('sha256', prevHash + text, 'hex');
}

const META_KEYS = 9;

/**
 * The canonical text of what every event is: its keys in their order, written out by JSON.stringify, which says texts and numbers as RFC 8785
 * does. What is anything else is left to whoever knows all of that standard.
 */
function canonicalText({ stream, version, type, meta, digest }: HashedEvent): string | undefined {
  const { actor, at, cause_id, cause_ordinal, config_revision, id, reason, schema_version, workspace_id } = meta;
  const numbers = [version, cause_ordinal, config_revision, schema_version];
  if (Object.keys(meta).length === META_KEYS && numbers.every(Number.isSafeInteger) && isPlain(actor)) {
    const { id: actorId, kind, name } = actor;
    const text = JSON.stringify({
      digest,
      meta: {
        ...{ actor: { id: actorId, kind, name }, at, cause_id, cause_ordinal, config_revision, id, reason },
        ...{ schema_version, workspace_id },
      },
      ...{ stream, type, version },
    });
    if (!text.includes('\\ud')) return text; // half of a pair of surrogates has no canonical form
  }
  return canonicalize({ stream, version, type, meta, digest });
}

/** What was read back may have been changed into anything. */
function isPlain(actor: unknown): boolean {
  if (actor === null || typeof actor !== 'object' || Object.keys(actor).length !== 3) return false;
  const { id, kind, name } = actor as Record<string, unknown>;
  return [id, kind, name].every((value) => typeof value === 'string' || value === null);
}
