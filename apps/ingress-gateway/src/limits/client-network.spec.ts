import { describe, expect, it } from 'vitest';
import { clientNetwork, parseNetworks } from './client-network.ts';

const trusted = parseNetworks('10.0.0.0/8, 2001:db8:1::/48,127.0.0.1');

describe('the network of a client', () => {
  it.each([
    ['an address', '192.0.2.7', undefined, '192.0.2.7'],
    ['an IPv4 address in IPv6', '::ffff:192.0.2.7', undefined, '192.0.2.7'],
    ['the /64 of an IPv6 address', '2001:db8:9:8:7:6:5:4', undefined, '2001:db8:9:8::/64'],
    ['what a trusted proxy says', '10.1.2.3', '192.0.2.7', '192.0.2.7'],
    ['what the last of several proxies says', '10.1.2.3', '203.0.113.9, 192.0.2.7, 10.4.4.4', '192.0.2.7'],
    ['the proxy where it says nothing', '10.1.2.3', undefined, '10.1.2.3'],
    ['the proxy where it says something else', '10.1.2.3', 'unknown', '10.1.2.3'],
    ['not what a stranger claims', '192.0.2.7', '203.0.113.9', '192.0.2.7'],
    ['an address with a port', '10.1.2.3', '192.0.2.7:4711', '192.0.2.7'],
    ['an IPv6 address in brackets', '2001:db8:1::5', '[2001:db8:9:8::1]:443', '2001:db8:9:8::/64'],
    ['nothing where there is no connection any more', undefined, undefined, 'unknown'],
  ])('is %s', (_name, peer, forwarded, expected) => expect(clientNetwork(peer, forwarded, trusted)).toBe(expected));

  it('is never taken from a header where no proxy is trusted', () =>
    expect(clientNetwork('10.1.2.3', '192.0.2.7', [])).toBe('10.1.2.3'));

  it('names what is no network', () => {
    expect(() => parseNetworks('10.0.0.0/8,proxy.example')).toThrow(/proxy\.example/);
    expect(() => parseNetworks('10.0.0.0/99')).toThrow(/10\.0\.0\.0\/99/);
  });
});
