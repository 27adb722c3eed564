import ipaddr from 'ipaddr.js';
import { classifyAddress, parseAddress, type AddressClass } from './address-class.ts';

/** Name of the setting that opens receivers which are refused by default; a refusal names it. */
export const OUTBOUND_ALLOW = 'OUTBOUND_ALLOW';

interface AllowedHost {
  kind: 'host';
  /** Lower case; `*.example.test` allows every name below it. */
  host: string;
  http: boolean;
}
interface AllowedRange {
  kind: 'range';
  range: ReturnType<typeof ipaddr.parseCIDR>;
  http: boolean;
}
/** What an administrator opened: `OUTBOUND_ALLOW=host|cidr[+http],…`. */
export type AllowList = readonly (AllowedHost | AllowedRange)[];
export const ALLOW_NOTHING: AllowList = [];

export const urlRefusals = [
  'not-a-url',
  'too-long',
  'scheme-not-allowed',
  'userinfo-not-allowed',
  'port-not-allowed',
  'https-required',
  'private-address',
  'local-name',
] as const;
export type UrlRefusal = (typeof urlRefusals)[number];

export type UrlVerdict =
  | { ok: true; url: URL }
  | {
      ok: false;
      reason: UrlRefusal;
      message: string;
      /** Setting that would allow it; null where none does. */ setting: typeof OUTBOUND_ALLOW | null;
    };

const MAX_URL_LENGTH = 2048;
const HOST_NAME = /^(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/;

/**
 * Reads the value of `OUTBOUND_ALLOW`. A single address is a range of one.
 * @throws RangeError that names the entry which cannot be read
 */
export function parseAllowList(text: string): AllowList {
  return text
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .filter((entry) => entry !== '')
    .map(parseAllowed);
}

function parseAllowed(entry: string): AllowedHost | AllowedRange {
  const http = entry.endsWith('+http');
  const what = trimBrackets(http ? entry.slice(0, -'+http'.length) : entry);
  const address = parseAddress(what);
  if (address) return { kind: 'range', range: [address, address.kind() === 'ipv4' ? 32 : 128], http };
  if (what.includes('/') && ipaddr.isValidCIDR(what)) return { kind: 'range', range: ipaddr.parseCIDR(what), http };
  if (HOST_NAME.test(what) && !/^[\d.]+$/.test(what)) return { kind: 'host', host: what, http };
  throw new RangeError(
    `${OUTBOUND_ALLOW}: "${entry}" is neither a host name, an address nor a CIDR range (with "+http" to allow plain http)`,
  );
}

const trimBrackets = (text: string): string => (text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text);
/** A name as it is compared: lower case, without the root dot. */
const nameOf = (host: string): string => trimBrackets(host.toLowerCase()).replace(/\.$/, '');

const hostMatches = (allowed: AllowedHost, name: string): boolean =>
  allowed.host.startsWith('*.') ? name.endsWith(allowed.host.slice(1)) : name === allowed.host;

function rangeMatches(allowed: AllowedRange, address: string): boolean {
  const parsed = parseAddress(address);
  return parsed !== undefined && parsed.kind() === allowed.range[0].kind() && parsed.match(allowed.range);
}

const NOTHING_OWN: ReadonlySet<string> = new Set();

/**
 * Whether an address may be dialled for a receiver named `host`. To be asked for every address that a name resolves to, and again for the
 * address that the socket reached: a name that points elsewhere a second later is caught there. `own` are addresses of this machine, which
 * are no receivers even where they are public.
 */
export function checkAddress(
  target: { host: string; address: string; scheme: 'http' | 'https' },
  allow: AllowList,
  own: ReadonlySet<string> = NOTHING_OWN,
): { ok: true } | { ok: false; class: AddressClass; message: string } {
  const found = classifyAddress(target.address);
  const kind = found === 'public' && own.has(target.address.toLowerCase()) ? 'own' : found;
  const granted = allow.filter((entry) =>
    entry.kind === 'host' ? hostMatches(entry, nameOf(target.host)) : rangeMatches(entry, target.address),
  );
  if (target.scheme === 'http' && !granted.some((entry) => entry.http)) {
    return { ok: false, class: kind, message: `plain http to this receiver is not allowed (${OUTBOUND_ALLOW})` };
  }
  if (kind === 'public' || granted.length > 0) return { ok: true };
  return {
    ok: false,
    class: kind,
    message: `the receiver's address is not on the public internet (${kind}); ${OUTBOUND_ALLOW} can open it`,
  };
}

const refuse = (reason: UrlRefusal, message: string, setting: typeof OUTBOUND_ALLOW | null = null): UrlVerdict => ({
  ok: false,
  reason,
  message,
  setting,
});

const isLocalName = (name: string): boolean => name === 'localhost' || name.endsWith('.localhost');

/**
 * Whether a URL may be stored as a receiver, and whether a delivery to it may be tried. Looks at what is written only: the addresses behind a
 * name are checked when it is dialled. WHATWG parsing turns every spelling of an IPv4 address (decimal, octal, hex, short) into the usual one.
 */
export function checkUrl(text: string, allow: AllowList): UrlVerdict {
  if (text.length > MAX_URL_LENGTH) return refuse('too-long', `a URL may have ${MAX_URL_LENGTH} characters`);
  if (!URL.canParse(text)) return refuse('not-a-url', 'not an absolute URL');
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    return refuse('scheme-not-allowed', `"${url.protocol}" is not supported: use https`);
  }
  if (url.username !== '' || url.password !== '') {
    return refuse('userinfo-not-allowed', 'credentials in the URL are not allowed: use a header');
  }
  if (BLOCKED_PORTS.has(url.port))
    return refuse('port-not-allowed', `port ${url.port} is for another protocol than HTTP`);
  return checkHost(url, allow);
}

/** Ports below which other protocols listen that take an HTTP request for commands of theirs. Source: WHATWG Fetch, "port blocking". */
const BLOCKED_PORTS: ReadonlySet<string> = new Set(
  (
    '1 7 9 11 13 15 17 19 20 21 22 23 25 37 42 43 53 69 77 79 87 95 101 102 103 104 109 110 111 113 115 117 119 123 135 137 139 143 161 179 389 427 ' +
    '465 512 513 514 515 526 530 531 532 540 548 554 556 563 587 601 636 989 990 993 995 1719 1720 1723 2049 3659 4045 4190 5060 5061 6000 6566 6665 ' +
    '6666 6667 6668 6669 6679 6697 10080'
  ).split(' '),
);

function checkHost(url: URL, allow: AllowList): UrlVerdict {
  const name = nameOf(url.hostname);
  const scheme = url.protocol === 'http:' ? 'http' : 'https';
  const literal = parseAddress(name) ? name : isLocalName(name) ? '127.0.0.1' : undefined;
  if (literal === undefined)
    return scheme === 'https' || mayUseHttp(name, allow)
      ? { ok: true, url }
      : refuse('https-required', httpsMessage, OUTBOUND_ALLOW);
  const verdict = checkAddress({ host: name, address: literal, scheme }, allow);
  if (verdict.ok) return { ok: true, url };
  // The address is named first: who sees "https required" would switch to https and be refused again.
  if (verdict.class !== 'public') {
    const reason = isLocalName(name) ? 'local-name' : 'private-address';
    return refuse(
      reason,
      `${name} is not on the public internet (${verdict.class}); an administrator can open it with ${OUTBOUND_ALLOW}`,
      OUTBOUND_ALLOW,
    );
  }
  return refuse('https-required', httpsMessage, OUTBOUND_ALLOW);
}

const httpsMessage = `receivers must use https; an administrator can allow plain http with ${OUTBOUND_ALLOW}=<host or CIDR>+http`;

/** A name below a range that allows http can only be judged by the address that it resolves to: the connector does. */
const mayUseHttp = (name: string, allow: AllowList): boolean =>
  allow.some((entry) => entry.http && (entry.kind === 'range' || hostMatches(entry, name)));

/** What development and demo installations open: receivers on the same machine, also without TLS. */
const LOOPBACK_RECEIVERS = 'localhost+http,127.0.0.0/8+http,::1+http';

/**
 * The allow-list of an installation: the setting, and loopback where development mode is on.
 * @throws RangeError that names the entry which cannot be read
 */
export const allowListOf = (setting: string, development: boolean): AllowList =>
  parseAllowList(development ? `${setting},${LOOPBACK_RECEIVERS}` : setting);
