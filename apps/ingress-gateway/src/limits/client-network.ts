import ipaddr from 'ipaddr.js';

type Network = ReturnType<typeof ipaddr.parseCIDR>;

/** Reads `TRUSTED_PROXIES`: addresses and networks, separated by commas. @throws TypeError naming the entry */
export function parseNetworks(text: string): Network[] {
  const entries = text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  return entries.map((entry) => {
    try {
      if (entry.includes('/')) return ipaddr.parseCIDR(entry);
      const address = ipaddr.process(entry);
      return [address, address.kind() === 'ipv4' ? 32 : 128];
    } catch {
      throw new TypeError(`${entry} is neither an address nor a network`);
    }
  });
}

const addressOf = (text: string): ReturnType<typeof ipaddr.process> | undefined => {
  const bare = text
    .trim()
    .replace(/^\[(.*)\](:\d+)?$/, '$1')
    .replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1');
  return ipaddr.isValid(bare) ? ipaddr.process(bare) : undefined;
};

/**
 * The network of a client, as failures are counted: an IPv4 address, or the /64 of an IPv6 one. `X-Forwarded-For` is read from its
 * end, and only as long as each hop is a proxy that we trust: everything further left is what somebody claims.
 */
export function clientNetwork(
  peer: string | undefined,
  forwardedFor: string | string[] | undefined,
  trusted: readonly Network[],
): string {
  let client = peer === undefined ? undefined : addressOf(peer);
  const isTrusted = () =>
    client !== undefined &&
    trusted.some(([network, bits]) => network.kind() === client?.kind() && client.match([network, bits] as never));
  const hops =
    trusted.length === 0
      ? []
      : String(forwardedFor ?? '')
          .split(',')
          .reverse();
  for (const hop of hops) {
    if (!isTrusted()) break;
    const next = addressOf(hop);
    if (!next) break;
    client = next;
  }
  if (!client) return 'unknown';
  if (client.kind() === 'ipv4') return client.toString();
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${client.toString()}/64`).toString()}/64`;
}
