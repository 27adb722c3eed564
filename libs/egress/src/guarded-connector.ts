import dns from 'node:dns';
import type { LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import { checkAddress, parseAddress, type AllowList } from '@tocsin/domain/delivery';

/** A receiver's address is not allowed. The code is what `reasonOfErrorCode` knows. */
export class AddressRefused extends Error {
  readonly code = 'OUTBOUND_ADDRESS_REFUSED';
}

export interface ConnectorOptions {
  allow: AllowList;
  /** Milliseconds for the name, the connection and TLS. */
  timeoutMs: number;
  /** PEM of certificate authorities; default: those of Node. */
  ca?: string[];
  /** Resolver; default: the system's. A test brings one that answers differently each time. */
  resolve?: typeof dns.lookup;
}

type Scheme = 'http' | 'https';

/**
 * Dials only what the policy allows (reference: an IP literal never reaches `lookup`, and a name may resolve differently the next time):
 * literal hosts before dialling, every resolved address in the lookup whose answer is dialled, and the address that the socket reached.
 */
export function guardedConnector(options: ConnectorOptions): buildConnector.connector {
  const connectors = { http: connectorFor('http', options), https: connectorFor('https', options) };
  return (target, callback) => {
    const scheme: Scheme = target.protocol === 'https:' ? 'https' : 'http';
    const host = target.hostname;
    const refused = parseAddress(host) ? refusal(host, host, scheme, options.allow) : undefined;
    if (refused) return callback(refused, null);
    connectors[scheme](target, (...result) => {
      const [error, socket] = result;
      if (error !== null) return callback(error, null);
      const late = refusal(host, socket.remoteAddress ?? '', scheme, options.allow);
      if (!late) return callback(null, socket);
      socket.destroy();
      callback(late, null);
    });
  };
}

function connectorFor(
  scheme: Scheme,
  { allow, timeoutMs, ca, resolve = dns.lookup }: ConnectorOptions,
): buildConnector.connector {
  const lookup: LookupFunction = (host, how, callback) => {
    resolve(host, { ...how, all: true }, (error, addresses) => {
      if (error) return callback(error, '', 0);
      // One private address among public ones refuses them all: which one is dialled would be chance.
      for (const { address } of addresses) {
        const refused = refusal(host, address, scheme, allow);
        if (refused) return callback(refused, '', 0);
      }
      const [first] = addresses;
      if (!first) return callback(Object.assign(new Error(`${host} has no address`), { code: 'ENOTFOUND' }), '', 0);
      if (how.all) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
  return buildConnector({ lookup, timeout: timeoutMs, allowH2: false, ...(ca ? { ca } : {}) });
}

function refusal(host: string, address: string, scheme: Scheme, allow: AllowList): AddressRefused | undefined {
  const verdict = checkAddress({ host, address, scheme }, allow);
  return verdict.ok ? undefined : new AddressRefused(verdict.message);
}
