import net from 'node:net';
import tls from 'node:tls';

/** Where the egress proxy is. Its address is the administrator's: it is not judged by the allow-list. */
export interface Proxy {
  host: string;
  port: number;
  tls: boolean;
  authorization: string | undefined;
}

/** Reads `OUTBOUND_PROXY`. @throws RangeError that says what is wrong and repeats no credential */
export function readProxy(text: string): Proxy {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.hostname === '')
    throw new RangeError(
      'OUTBOUND_PROXY must be http://host:port or https://host:port, with user:password@ if need be',
    );
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '')
    throw new RangeError('OUTBOUND_PROXY has no path and no query');
  const secure = url.protocol === 'https:';
  const credential = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
    tls: secure,
    authorization: credential === ':' ? undefined : `Basic ${Buffer.from(credential).toString('base64')}`,
  };
}

/** Why there is no tunnel; the codes are those that `reasonOfErrorCode` knows. Messages name neither proxy nor credential. */
export class TunnelFailed extends Error {
  constructor(
    readonly code: 'OUTBOUND_PROXY_FAILED' | 'OUTBOUND_PROXY_REFUSED' | 'OUTBOUND_PROXY_UNREACHED',
    message: string,
  ) {
    super(message);
  }
}

const HEAD_MAX = 16 * 1024;

export interface TunnelTarget {
  /** A literal address that has been checked: what the proxy dials is what was judged. */
  address: string;
  port: number;
  timeoutMs: number;
}

/** Opens a connection to an address through the proxy (CONNECT, RFC 9110 section 9.3.6). */
export function openTunnel(proxy: Proxy, target: TunnelTarget): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = proxy.tls
      ? tls.connect({ host: proxy.host, port: proxy.port, servername: net.isIP(proxy.host) ? '' : proxy.host })
      : net.connect({ host: proxy.host, port: proxy.port });
    const fail = (error: TunnelFailed): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    const away = (): void => fail(new TunnelFailed('OUTBOUND_PROXY_FAILED', 'the egress proxy cannot be reached'));
    const timer = setTimeout(away, target.timeoutMs);
    socket.once('error', away);
    socket.once('end', away);
    socket.once(proxy.tls ? 'secureConnect' : 'connect', () => socket.write(requestOf(proxy, target)));
    let head = Buffer.alloc(0);
    const read = (chunk: Buffer): void => {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0 && head.length <= HEAD_MAX) return;
      const failure =
        end < 0 ? new TunnelFailed('OUTBOUND_PROXY_FAILED', 'the egress proxy talks no HTTP') : refusalOf(head);
      if (failure) return fail(failure);
      clearTimeout(timer);
      socket.off('data', read).off('error', away).off('end', away);
      socket.pause();
      if (head.length > end + 4) socket.unshift(head.subarray(end + 4));
      resolve(socket);
    };
    socket.on('data', read);
  });
}

function requestOf({ authorization }: Proxy, { address, port }: TunnelTarget): string {
  const authority = `${address.includes(':') ? `[${address}]` : address}:${port}`;
  const credential = authorization === undefined ? '' : `Proxy-Authorization: ${authorization}\r\n`;
  return `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${credential}\r\n`;
}

/** Undefined for a 2xx. A proxy that says "no" is not the receiver's fault, one that cannot reach it is. */
function refusalOf(head: Buffer): TunnelFailed | undefined {
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head.toString('latin1'))?.[1] ?? 0);
  if (status >= 200 && status < 300) return undefined;
  if (status === 403) return new TunnelFailed('OUTBOUND_PROXY_REFUSED', 'the egress proxy does not allow this address');
  if (status === 502 || status === 504)
    return new TunnelFailed('OUTBOUND_PROXY_UNREACHED', 'the egress proxy cannot reach the receiver');
  return new TunnelFailed('OUTBOUND_PROXY_FAILED', `the egress proxy answered ${status === 0 ? 'no HTTP' : status}`);
}
