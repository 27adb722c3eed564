import { networkInterfaces } from 'node:os';
import type { LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import { checkAddress, parseAddress, type AllowList } from '@tocsin/domain/delivery';
import { openTunnel, type Proxy } from './proxy-tunnel.ts';
import { oneAtATime, systemResolver, type Resolve, type Resolved } from './resolve.ts';

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
  /** Default: the system's resolver. */
  resolve?: Resolve;
  /** Everything goes through it; the addresses are resolved and judged here all the same. */
  proxy?: Proxy;
  /** Addresses of this machine, which are refused also where they are public; default: those of its interfaces. */
  own?: ReadonlySet<string>;
}

type Scheme = 'http' | 'https';
/** What one process dials with. */
interface Guard {
  options: ConnectorOptions;
  resolve: Resolve;
  own: ReadonlySet<string>;
}

const ownAddresses = (): Set<string> =>
  new Set(Object.values(networkInterfaces()).flatMap((found) => (found ?? []).map(({ address }) => address)));

/**
 * Dials only what the policy allows (reference: an IP literal never reaches `lookup`, and a name may resolve differently the next time):
 * literal hosts before dialling, every resolved address in the lookup whose answer is dialled, and the address that the socket reached.
 */
export function guardedConnector(options: ConnectorOptions): buildConnector.connector {
  const guard: Guard = {
    options,
    resolve: oneAtATime(options.resolve ?? systemResolver),
    own: options.own ?? ownAddresses(),
  };
  const direct = { http: directly('http', guard), https: directly('https', guard) };
  return (target, callback) => {
    const scheme: Scheme = target.protocol === 'https:' ? 'https' : 'http';
    const refused = parseAddress(target.hostname)
      ? refusal(target.hostname, target.hostname, scheme, guard)
      : undefined;
    if (refused) return callback(refused, null);
    if (options.proxy) return throughProxy(target, callback, { guard, scheme, proxy: options.proxy });
    direct[scheme](target, (...result) => {
      const [error, socket] = result;
      if (error !== null) return callback(error, null);
      const late = refusal(target.hostname, socket.remoteAddress ?? '', scheme, guard);
      if (!late) return callback(null, socket);
      socket.destroy();
      callback(late, null);
    });
  };
}

/** @throws AddressRefused unless every address of the name is allowed: which one is dialled would be chance */
async function judged(host: string, scheme: Scheme, guard: Guard): Promise<[Resolved, ...Resolved[]]> {
  const [first, ...others] = await guard.resolve(host);
  if (!first) throw Object.assign(new Error(`${host} has no address`), { code: 'ENOTFOUND' });
  for (const { address } of [first, ...others]) {
    const refused = refusal(host, address, scheme, guard);
    if (refused) throw refused;
  }
  return [first, ...others];
}

const tlsOptions = ({ timeoutMs, ca }: ConnectorOptions) => ({
  timeout: timeoutMs,
  allowH2: false,
  ...(ca ? { ca } : {}),
});

function directly(scheme: Scheme, guard: Guard): buildConnector.connector {
  const lookup: LookupFunction = (host, how, callback) => {
    judged(host, scheme, guard).then(
      (addresses) => {
        const [first] = addresses;
        if (how.all) callback(null, addresses);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, '', 0),
    );
  };
  return buildConnector({ lookup, ...tlsOptions(guard.options) });
}

interface Way {
  guard: Guard;
  scheme: Scheme;
  proxy: Proxy;
}

/** The proxy is told the address that was judged, not the name: it could resolve that differently. TLS still asks for the name. */
function throughProxy(target: buildConnector.Options, callback: buildConnector.Callback, way: Way): void {
  const { guard, scheme, proxy } = way;
  const { timeoutMs } = guard.options;
  const host = target.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = target.port === '' ? (scheme === 'https' ? 443 : 80) : Number(target.port);
  const open = async () => {
    const [{ address }] = parseAddress(host) ? [{ address: host }] : await judged(host, scheme, guard);
    return openTunnel(proxy, { address, port, timeoutMs });
  };
  open().then(
    (socket) => {
      if (scheme === 'http') return callback(null, socket);
      buildConnector(tlsOptions(guard.options))({ ...target, httpSocket: socket }, callback);
    },
    (error: Error) => callback(error, null),
  );
}

function refusal(host: string, address: string, scheme: Scheme, { options, own }: Guard): AddressRefused | undefined {
  const verdict = checkAddress({ host, address, scheme }, options.allow, own);
  return verdict.ok ? undefined : new AddressRefused(verdict.message);
}
