import { base32, type SealedSecret } from '@tocsin/contracts';
import { signingKeyFrom } from '@tocsin/domain/delivery';
import type { KeyRing, Random } from '@tocsin/nest-shell';
import { workspaceDocumentOf } from './documents.ts';
import type { WorkspaceRow } from './entities.ts';

/** What makes, seals and hashes credentials. */
export interface Credentials {
  keyRing: Pick<KeyRing, 'seal' | 'open' | 'newDataKey' | 'pepperedHmac'>;
  random: Random;
}

/** Old secrets that a rotation may leave valid at once; the oldest goes first. */
const OLD_SECRETS_MAX = 10;
const HOUR_MS = 3_600_000;

/** Path token of a webhook: 160 random bits. */
export const newToken = (random: Random): string => base32(random(20));
/** Inbound secret: 256 random bits in a form that fits every header. */
export const newInboundSecret = (random: Random): string => base32(random(32));
/** ed25519 key of Standard Webhooks v1a; receivers get its public half. */
export const newSigningKey = (random: Random): string => signingKeyFrom(random(32));

/** Outbound secret in the form of Standard Webhooks. */
export const newOutboundSecret = (random: Random): string => `whsec_${random(32).toString('base64')}`;

/** API key `tsk_<id>_<secret>`; only the peppered HMAC of the secret is stored. */
export function newApiKey({ keyRing, random }: Credentials): { id: string; key: string; secretHmac: string } {
  const id = base32(random(16));
  const secret = base32(random(32));
  return { id, key: `tsk_${id}_${secret}`, secretHmac: keyRing.pepperedHmac(secret) };
}

/** The parts of a given API key, or undefined where it does not have the form of one. */
export function readApiKey(key: string): { id: string; secret: string } | undefined {
  const [, id, secret] = /^tsk_([a-z2-7]{8,64})_([a-z2-7]{16,128})$/.exec(key) ?? [];
  return id && secret ? { id, secret } : undefined;
}

/** Seals a text of the row with this id; it opens only for this row of this workspace. */
export const sealFor = ({ keyRing }: Credentials, workspace: WorkspaceRow, rowId: string, text: string): string =>
  keyRing.seal(workspaceDocumentOf(workspace), rowId, text);

export const sealedSecret = (
  credentials: Credentials,
  workspace: WorkspaceRow,
  rowId: string,
  text: string,
): SealedSecret => ({
  id: `sec_${base32(credentials.random(10))}`,
  sealed: sealFor(credentials, workspace, rowId, text),
  notAfter: null,
});

/** When an old credential ends. */
export const endOfOverlap = (now: Date, hours: number): string =>
  new Date(now.getTime() + hours * HOUR_MS).toISOString();

/** The current secret first, then those whose overlap still runs. With 0 hours the old ones end at once. */
export function rotated<Secret extends SealedSecret>(
  secrets: readonly Secret[],
  fresh: Secret,
  overlapHours: number,
  now: Date,
): Secret[] {
  const end = endOfOverlap(now, overlapHours);
  const old = secrets
    .map((secret) => ({
      ...secret,
      notAfter: secret.notAfter !== null && secret.notAfter < end ? secret.notAfter : end,
    }))
    .filter((secret) => secret.notAfter > now.toISOString());
  return [fresh, ...old.slice(0, OLD_SECRETS_MAX)];
}
