import ipaddr from 'ipaddr.js';

/** What kind of network an address belongs to. Only `public` may be dialled without an administrator's permission. */
export const addressClasses = [
  'public',
  'loopback',
  'unspecified',
  'private',
  'link-local',
  'carrier-grade-nat',
  'unique-local',
  'multicast',
  'broadcast',
  'documentation',
  'benchmarking',
  'ipv4-mapped',
  'translated',
  'tunnelled',
  'metadata',
  'reserved',
  'own',
  'not-an-address',
] as const;
export type AddressClass = (typeof addressClasses)[number];

const byRange: Readonly<Record<string, AddressClass>> = {
  unspecified: 'unspecified',
  broadcast: 'broadcast',
  multicast: 'multicast',
  linkLocal: 'link-local',
  loopback: 'loopback',
  carrierGradeNat: 'carrier-grade-nat',
  private: 'private',
  uniqueLocal: 'unique-local',
  ipv4Mapped: 'ipv4-mapped',
  rfc6145: 'translated',
  rfc6052: 'translated',
  '6to4': 'tunnelled',
  teredo: 'tunnelled',
  benchmarking: 'benchmarking',
};

const named = (ranges: [string, AddressClass][]): [ReturnType<typeof ipaddr.parseCIDR>, AddressClass][] =>
  ranges.map(([range, kind]) => [ipaddr.parseCIDR(range), kind]);

/** Ranges that ipaddr.js calls reserved or public, but which deserve their own name (or refusal). */
const special = named([
  ['169.254.169.254/32', 'metadata'],
  ['100.100.100.200/32', 'metadata'], // Alibaba Cloud
  ['168.63.129.16/32', 'metadata'], // Azure's wire server: inside public space
  ['fd00:ec2::254/128', 'metadata'],
  ['192.0.2.0/24', 'documentation'],
  ['198.51.100.0/24', 'documentation'],
  ['203.0.113.0/24', 'documentation'],
  ['198.18.0.0/15', 'benchmarking'],
  ['2001:db8::/32', 'documentation'],
  ['3fff::/20', 'documentation'],
]);

/** IPv6 addresses are handed out to the public internet from this block only (RFC 4291, IANA). */
const globalUnicast = ipaddr.parseCIDR('2000::/3');

/**
 * Class of a literal IP address as a socket or a resolver shows it (a zone id is ignored).
 * An IPv4 address inside an IPv6 one is never `public`: nobody needs to write a public receiver in that form.
 */
export function classifyAddress(address: string): AddressClass {
  const text = bare(address);
  if (!ipaddr.isValid(text) || (!text.includes(':') && !ipaddr.IPv4.isValidFourPartDecimal(text)))
    return 'not-an-address';
  const parsed = ipaddr.parse(text);
  for (const [range, kind] of special) {
    if (range[0].kind() === parsed.kind() && parsed.match(range)) return kind;
  }
  const range = parsed.range();
  if (range !== 'unicast') return byRange[range] ?? 'reserved';
  return parsed.kind() === 'ipv6' && !parsed.match(globalUnicast) ? 'reserved' : 'public';
}

/** Without brackets and zone. */
function bare(address: string): string {
  const inner = address.startsWith('[') && address.endsWith(']') ? address.slice(1, -1) : address;
  const zone = inner.indexOf('%');
  return zone === -1 ? inner : inner.slice(0, zone);
}

/** The address in a form that can be compared with a range; an IPv4-mapped address as the IPv4 address that it reaches. */
export const parseAddress = (address: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined =>
  classifyAddress(address) === 'not-an-address' ? undefined : ipaddr.process(bare(address));
