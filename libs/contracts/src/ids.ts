import { createHash, hash } from 'node:crypto';

/**
 * Every id is a visible prefix and 26 characters of lower-case RFC 4648 base32 (128 bits, no padding).
 * Derived ids hash their cause, so that a repeated cause gives the same id; minted ids take 16 random bytes from the caller.
 */
export type Id<Prefix extends string> = `${Prefix}_${string}`;
export type ReceiptId = Id<'rcv'>;
export type AlertId = Id<'alr'>;
export type IncidentId = Id<'inc'>;
export type EventId = Id<'evt'>;
export type DeliveryId = Id<'dlv'>;
export type WorkspaceId = Id<'ws'>;
export type WebhookId = Id<'whk'>;
export type SubscriptionId = Id<'sub'>;
export type RcaId = Id<'rca'>;
export type ChangeId = Id<'chg'>;
export type RecommendationId = Id<'rec'>;

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
/** Two digits at a time: half the work, and every alert has a few ids. */
const PAIRS = Array.from({ length: 1_024 }, (_, bits) => `${ALPHABET[bits >> 5]}${ALPHABET[bits & 31]}`);

/** Lower-case RFC 4648 base32 without padding. 16 bytes give 26 characters. */
export const base32 = (bytes: Uint8Array): string => base32Of(bytes.length, (index) => bytes[index] as number);

function base32Of(length: number, byteAt: (index: number) => number): string {
  let out = '';
  let buffer = 0;
  let bits = 0;
  for (let index = 0; index < length; index += 1) {
    buffer = ((buffer << 8) | byteAt(index)) & 0x3ffff;
    bits += 8;
    if (bits < 10) continue;
    bits -= 10;
    out += PAIRS[(buffer >> bits) & 1_023];
  }
  const rest = (buffer << (10 - bits)) & 1_023;
  if (bits > 5) return out + PAIRS[rest];
  return bits > 0 ? out + ALPHABET[rest >> 5] : out;
}

/**
 * Id derived from its cause: the first 128 bits of SHA-256 over the parts.
 * Each part is preceded by its byte length, so that ("ab","c") and ("a","bc") differ.
 */
export function deriveId<Prefix extends string>(prefix: Prefix, ...parts: (string | Uint8Array)[]): Id<Prefix> {
  const digest = digestOf(parts);
  return `${prefix}_${base32Of(16, (index) => digest.charCodeAt(index))}`;
}

/** One character per byte: a third of the cost of a buffer, and every alert has a few ids. */
function digestOf(parts: readonly (string | Uint8Array)[]): string {
  // Texts alone, as every alert has them, are hashed in one call.
  let text = '';
  for (const part of parts) {
    if (typeof part !== 'string') return digestOfBytes(parts);
    text += `${Buffer.byteLength(part, 'utf8')}:${part}`;
  }
  return hash('sha256', text, 'binary');
}

function digestOfBytes(parts: readonly (string | Uint8Array)[]): string {
  const digest = createHash('sha256');
  for (const part of parts) {
    const bytes = typeof part === 'string' ? Buffer.from(part, 'utf8') : part;
    digest.update(`${bytes.length}:`).update(bytes);
  }
  return digest.digest('binary');
}

/** Id minted from 16 random bytes, which the caller supplies (`randomBytes(16)` in shells, a seeded source in tests). */
export function mintId<Prefix extends string>(prefix: Prefix, random: Uint8Array): Id<Prefix> {
  if (random.length !== 16) throw new RangeError(`mintId needs 16 random bytes, got ${random.length}`);
  return `${prefix}_${base32(random)}`;
}

/** Whether a text has the form of an id with this prefix. It says nothing about whether such a thing exists. */
export function isId<Prefix extends string>(prefix: Prefix, text: string): text is Id<Prefix> {
  return text.length === prefix.length + 27 && text.startsWith(`${prefix}_`) && /^[a-z2-7]{26}$/.test(text.slice(-26));
}

/** receipt = hash(webhook, idempotency value, body); architecture §6 rule 1. */
export const receiptIdOf = (webhookId: string, idempotency: string, body: Uint8Array): ReceiptId =>
  deriveId('rcv', webhookId, idempotency, body);
/** alert = hash(receipt, index before any filter). */
export const alertIdOf = (receiptId: string, index: number): AlertId => deriveId('alr', receiptId, String(index));
/** incident = hash(scope, opening alert). */
export const incidentIdOf = (scope: string, openingAlertId: string): IncidentId =>
  deriveId('inc', scope, openingAlertId);
/** successor = hash(closed incident, closing event). */
export const successorIncidentIdOf = (incidentId: string, closingEventId: string): IncidentId =>
  deriveId('inc', incidentId, closingEventId);
/** event = hash(stream, version). */
export const eventIdOf = (streamId: string, version: number): EventId => deriveId('evt', streamId, String(version));
/** delivery = hash(event, subscription). */
export const deliveryIdOf = (eventId: string, subscriptionId: string): DeliveryId =>
  deriveId('dlv', eventId, subscriptionId);
