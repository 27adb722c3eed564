import type { AuthMethod, WebhookBody } from '@tocsin/contracts';
import { hasVendorScheme, type ConnectorAuth } from '@tocsin/domain/authentication';
import { endOfOverlap } from './credentials.ts';
import type { WebhookRow } from './entities.ts';
import { invalidField } from './fields.ts';
import type { WebhookAuthInput } from './webhook.dto.ts';

type Auth = WebhookBody['auth'];

/** How nobody is asked for anything; what a webhook starts from. */
export const noAuth: Auth = { method: 'none', header: null, prefix: null, username: null };

/**
 * The settings after a change: what is not given stays, unless it belonged to another method.
 * @throws Problem for a method that the webhook's platform cannot have, or that misses what it is checked against
 */
export function authOf(current: Auth, input: WebhookAuthInput, method: AuthMethod, connector: ConnectorAuth): Auth {
  const before = current.method === method ? current : noAuth;
  const { timestamp_header: timestampHeader, subjects, audience, tenant } = input;
  const pick = (name: 'header' | 'prefix' | 'username') => (input[name] === undefined ? before[name] : input[name]);
  const auth: Auth = {
    method,
    header: pick('header'),
    prefix: pick('prefix'),
    username: pick('username'),
    ...given('timestampHeader', timestampHeader === undefined ? before.timestampHeader : timestampHeader),
    ...given('subjects', subjects ?? before.subjects),
    ...given('audience', audience === undefined ? before.audience : audience),
    ...given('tenant', tenant === undefined ? before.tenant : tenant),
  };
  checkVendor(auth, connector);
  if (method === 'basic' && auth.username?.includes(':'))
    throw invalidField('auth.username', 'no-colon', 'cannot hold a colon under basic authentication (RFC 7617)');
  return auth;
}

const given = <Name extends keyof Auth>(name: Name, value: Auth[Name] | undefined): Partial<Auth> =>
  value === undefined ? {} : { [name]: value };

function checkVendor({ method, audience, tenant }: Auth, connector: ConnectorAuth): void {
  if (method !== 'vendor') return;
  if (!hasVendorScheme(connector))
    throw invalidField(
      'auth.method',
      'no-vendor-scheme',
      'this platform has no scheme of its own; choose another method',
    );
  const { vendor } = connector;
  if (vendor?.kind !== 'jwt' || vendor.provider !== 'entra') return;
  // Anybody can get a token of their own directory; only directory and audience together say whose it is.
  if (!tenant)
    throw invalidField('auth.tenant', 'required', 'must be the id of the Entra directory whose tokens are accepted');
  if (!audience)
    throw invalidField(
      'auth.audience',
      'required',
      'must be the application id URI that the action group asks tokens for',
    );
}

/**
 * Puts new settings in place. Another method cuts the old one at once; with an overlap, senders of the old method go on with its
 * settings and secrets until it ends (product P2).
 */
export function changeAuth(row: WebhookRow, auth: Auth, overlapHours: number, now: Date): void {
  const changed = auth.method !== row.auth.method;
  if (changed && overlapHours > 0)
    row.previousAuth = { auth: row.auth, secrets: row.secrets, notAfter: endOfOverlap(now, overlapHours) };
  else if (changed) row.previousAuth = null;
  // A secret on a webhook without authentication is a signature that is asked for: leaving authentication means leaving it.
  if (changed && auth.method === 'none') row.secrets = [];
  row.auth = auth;
}

export const authView = ({ method, header, prefix, username, timestampHeader, subjects, audience, tenant }: Auth) => ({
  method,
  header,
  prefix,
  username,
  timestamp_header: timestampHeader ?? null,
  subjects: subjects ?? [],
  audience: audience ?? null,
  tenant: tenant ?? null,
});
