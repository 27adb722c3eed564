import { createHook } from 'node:async_hooks';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { checkUrl, parseAllowList } from '@tocsin/domain/delivery';
import { createSender, type SenderOptions } from './http-sender.ts';
import { nameServers } from './resolve.ts';
import { startNameServer } from './spec/name-server.ts';
import { startReceiver } from './spec/receiver.ts';

// What counts is what the kernel is asked for: every attempt to open a TCP connection in this process.
let dialled = 0;
const dials = createHook({ init: (_id, type) => void (type === 'TCPCONNECTWRAP' && dialled++) });
beforeAll(() => void dials.enable());
afterAll(() => void dials.disable());

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

/** The two gates that every delivery passes: the URL as it is written, then the addresses as they are dialled. */
async function deliver(url: string, allow = '', options: Partial<SenderOptions> = {}): Promise<string> {
  const list = parseAllowList(allow);
  const written = checkUrl(url, list);
  if (!written.ok) return written.reason;
  const sender = createSender({ allow: list, ...options });
  try {
    const answer = await sender.send({ url: written.url, headers: {}, body: '{}', timeoutMs: 5_000 });
    return answer.kind === 'no-response' ? answer.reason : answer.kind;
  } finally {
    await sender.close();
  }
}

const literals = [
  // loopback, every spelling of an IPv4 address that URL parsers know
  ...[
    '127.0.0.1',
    '127.0.0.1.',
    '127.1',
    '127.0.1',
    '127.255.255.254',
    '2130706433',
    '2130706433.',
    '0x7f000001',
    '0X7F000001',
  ],
  ...[
    '017700000001',
    '0177.0.0.1',
    '0177.0.0.01',
    '0177.1',
    '0x7f.1',
    '0x7f.0.0.1',
    '0x7f.0x0.0x0.0x1',
    '127.0x1',
    '127.0.0.0x1',
  ],
  ...[
    '00000177.0.0.1',
    '0x000000007f.1',
    '１２７.0.0.1',
    '①②⑦.0.0.1',
    '127。0。0。1',
    '127．0．0．1',
    '127｡0｡0｡1',
    '%31%32%37.0.0.1',
  ],
  ...['127.0.0.1%2e', '127%2E0%2E0%2E1', '𝟏𝟐𝟕.0.0.1'],
  // unspecified
  ...['0', '0.0.0.0', '0x0', '00', '0.1.2.3', '0.0', '000.000.000.000'],
  // private networks
  ...[
    '10.0.0.1',
    '10.255.255.255',
    '167772161',
    '0xa000001',
    '012.0.0.1',
    '10.1',
    '172.16.0.1',
    '172.31.255.255',
    '2886729729',
  ],
  ...['0xac.0x10.0.1', '192.168.0.1', '192.168.1.1', '3232235521', '0xc0a80001', '0300.0250.0.1', '192.168.257'],
  // link-local and cloud metadata
  ...[
    '169.254.169.254',
    '169.254.169.254.',
    '2852039166',
    '0xa9fea9fe',
    '0xa9.0xfe.0xa9.0xfe',
    '0251.0376.0251.0376',
    '025177524776',
  ],
  ...[
    '169.254.43518',
    '169.16689662',
    '169.254.170.2',
    '169.254.0.1',
    '100.100.100.200',
    '1684301000',
    '168.63.129.16',
  ],
  // shared, reserved, documentation, benchmarking, multicast, broadcast
  ...[
    '100.64.0.1',
    '100.127.255.255',
    '192.0.0.1',
    '192.0.0.170',
    '192.88.99.1',
    '192.0.2.1',
    '198.51.100.7',
    '203.0.113.9',
  ],
  ...[
    '198.18.0.1',
    '198.19.255.255',
    '224.0.0.1',
    '239.255.255.255',
    '240.0.0.1',
    '255.255.255.255',
    '4294967295',
    '0xffffffff',
  ],
  // IPv6
  ...[
    '[::1]',
    '[0:0:0:0:0:0:0:1]',
    '[0000:0000:0000:0000:0000:0000:0000:0001]',
    '[::]',
    '[::0.0.0.1]',
    '[::127.0.0.1]',
    '[::7f00:1]',
  ],
  ...[
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::FFFF:7F00:0001]',
    '[0:0:0:0:0:ffff:7f00:1]',
    '[::ffff:10.0.0.1]',
    '[::ffff:a9fe:a9fe]',
  ],
  ...[
    '[::ffff:8.8.8.8]',
    '[::ffff:0:127.0.0.1]',
    '[::ffff:0:7f00:1]',
    '[64:ff9b::7f00:1]',
    '[64:ff9b::127.0.0.1]',
    '[64:ff9b::a9fe:a9fe]',
  ],
  ...[
    '[64:ff9b::a00:1]',
    '[64:ff9b:1::7f00:1]',
    '[64:ff9b:1:ffff::1]',
    '[2002:7f00:1::]',
    '[2002:a9fe:a9fe::1]',
    '[2002:a00:1::1]',
  ],
  ...[
    '[2001::1]',
    '[2001:0:7f00:1::]',
    '[2001:db8::1]',
    '[3fff::1]',
    '[3fff:fff::1]',
    '[2001:2::1]',
    '[2001:10::1]',
    '[2001:20::1]',
  ],
  ...[
    '[fe80::1]',
    '[febf::1]',
    '[fec0::1]',
    '[fc00::1]',
    '[fd12:3456::1]',
    '[fd00:ec2::254]',
    '[ff02::1]',
    '[ff0e::1]',
  ],
  ...['[100::1]', '[5f00::1]', '[4000::1]', '[8000::1]', '[e000::1]'],
];
const written = [
  // names of this machine
  ...[
    'https://localhost/',
    'https://LOCALHOST/',
    'https://localhost./',
    'https://a.b.localhost/',
    'https://loc%61lhost/',
    'https://ｌocalhost/',
  ],
  // credentials that hide the host
  ...[
    'https://hooks.example.com@127.0.0.1/',
    'https://hooks.example.com:443@127.0.0.1/',
    'https://127.0.0.1@hooks.example.com/',
  ],
  ...[
    'https://user:password@hooks.example.com/',
    'https://user@hooks.example.com/',
    'https://:password@hooks.example.com/',
  ],
  'https://hooks.example.com%40127.0.0.1/',
  // backslashes, white space and control characters are what the parser makes of them, never what a reader makes
  ...[
    'https:\\\\127.0.0.1\\',
    'https:127.0.0.1',
    'https:/127.0.0.1',
    'https:///127.0.0.1/',
    'https://127.0.0.1\t/',
    ' https://127.0.0.1/',
    'ht\ntps://127.0.0.1/',
  ],
  ...[
    'https://127.0.0.1#@hooks.example.com/',
    'https://127.0.0.1?@hooks.example.com/',
    'https://127.0.0.1\\@hooks.example.com/',
  ],
  // zone ids and broken brackets
  ...[
    'https://[fe80::1%25eth0]/',
    'https://[::1%251]/',
    'https://[::1',
    'https://[::1]]/',
    'https://[::ffff:127.0.0.1%25lo]/',
    'https://[v1.127.0.0.1]/',
  ],
  // other schemes
  ...[
    'http://8.8.8.8/',
    'ftp://8.8.8.8/',
    'file:///etc/passwd',
    'file://127.0.0.1/etc/passwd',
    'gopher://127.0.0.1:6379/_INFO',
    'dict://127.0.0.1:11211/',
  ],
  ...[
    'ldap://127.0.0.1/',
    'data:text/plain,x',
    'javascript:alert(1)',
    'unix:/var/run/docker.sock',
    'ws://127.0.0.1/',
    'jar:https://a.example/!/x',
    'blob:https://127.0.0.1/x',
  ],
  // no URL at all
  ...[
    '',
    '//127.0.0.1/',
    '/etc/passwd',
    'hooks.example.com',
    'https://',
    'https://256.256.256.256/',
    'https://0x100000000/',
    'https://1.2.3.4.5/',
    'https://127.0.0.0x100/',
  ],
  // ports of other protocols
  ...[
    'https://hooks.example.com:22/',
    'https://hooks.example.com:25/',
    'https://hooks.example.com:465/',
    'https://hooks.example.com:6000/',
    'https://hooks.example.com:10080/',
  ],
];
/** Addresses that a name may resolve to. */
const resolved = [
  ...[
    '127.0.0.1',
    '127.8.8.8',
    '0.0.0.0',
    '10.0.0.1',
    '172.20.1.1',
    '192.168.10.10',
    '169.254.169.254',
    '169.254.1.1',
    '100.64.1.1',
    '100.100.100.200',
  ],
  ...[
    '168.63.129.16',
    '192.0.0.8',
    '192.0.2.44',
    '198.51.100.1',
    '203.0.113.1',
    '198.18.1.1',
    '192.88.99.2',
    '224.0.0.251',
    '240.1.1.1',
    '255.255.255.255',
  ],
  ...[
    '::1',
    '::',
    'fe80::1',
    'fc00::1',
    'fd00:ec2::254',
    'fec0::1',
    'ff02::1',
    '::ffff:7f00:1',
    '::ffff:a00:1',
    '64:ff9b::7f00:1',
    '64:ff9b:1::1',
  ],
  ...['2002:7f00:1::1', '2001::7f00:1', '2001:db8::1', '3fff::1', '100::1', '5f00::1', '::7f00:1'],
];

describe('a receiver that is not on the public internet', () => {
  it('is meant by a table of at least 150 rows', () => {
    const rows = [...literals, ...written, ...resolved];
    expect(new Set(rows).size).toBeGreaterThanOrEqual(150);
  });

  it.each(literals.map((host) => `https://${host}/hook`))('%s is never dialled', async (url) => {
    const before = dialled;
    expect(await deliver(url)).not.toBe('response');
    expect(await deliver(url.replace('https:', 'http:'), 'somewhere.else.example+http')).not.toBe('response');
    expect(dialled).toBe(before);
  });

  it.each(written)('%j is never dialled', async (url) => {
    const before = dialled;
    const resolve = () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]);
    expect(await deliver(url, '', { resolve })).not.toBe('response');
    expect(dialled).toBe(before);
  });

  it.each(resolved)('a name that resolves to %s is never dialled, also beside a public address', async (address) => {
    const before = dialled;
    const family = address.includes(':') ? 6 : 4;
    const good = { address: '8.8.8.8', family: 4 };
    for (const found of [[{ address, family }], [good, { address, family }], [{ address, family }, good]])
      expect(await deliver('https://receiver.example/', '', { resolve: () => Promise.resolve(found) })).toBe(
        'address-not-allowed',
      );
    expect(dialled).toBe(before);
  });

  it('is recognised in any spelling of any address of a private network', async () => {
    const octet = fc.nat(255);
    const inside = fc.oneof(
      fc.tuple(fc.constantFrom(10, 127, 0), octet, octet, octet),
      fc.tuple(fc.constant(192), fc.constant(168), octet, octet),
      fc.tuple(fc.constant(172), fc.integer({ min: 16, max: 31 }), octet, octet),
      fc.tuple(fc.constant(169), fc.constant(254), octet, octet),
      fc.tuple(fc.constant(100), fc.integer({ min: 64, max: 127 }), octet, octet),
    );
    const radix = fc.constantFrom(
      (value: number) => String(value),
      (value: number) => `0x${value.toString(16)}`,
      (value: number) => `0${value.toString(8)}`,
    );
    const before = dialled;
    await fc.assert(
      fc.asyncProperty(
        inside,
        fc.integer({ min: 1, max: 4 }),
        radix,
        fc.boolean(),
        async (address, parts, write, dot) => {
          const head = address.slice(0, parts - 1);
          const tail = address.slice(parts - 1).reduce((sum, one) => sum * 256 + one, 0);
          const url = `https://${[...head, tail].map(write).join('.')}${dot ? '.' : ''}/`;
          expect(['private-address', 'local-name']).toContain(await deliver(url));
        },
      ),
    );
    expect(dialled).toBe(before);
  });

  it('is also an address of this machine that the internet can see', async () => {
    const before = dialled;
    const resolve = () => Promise.resolve([{ address: '8.8.4.4', family: 4 }]);
    expect(await deliver('https://receiver.example/', '', { resolve, own: new Set(['8.8.4.4']) })).toBe(
      'address-not-allowed',
    );
    expect(await deliver('https://8.8.4.4/', '', { own: new Set(['8.8.4.4']) })).toBe('address-not-allowed');
    expect(dialled).toBe(before);
  });
});

describe('a name whose servers change their mind', () => {
  const permitted = '127.0.0.1+http';

  it('is dialled at the address that was judged, and refused when it points elsewhere', async () => {
    const wanted = await startReceiver((_request, response) => response.writeHead(204, { connection: 'close' }).end());
    const { port } = new URL(wanted.url);
    const inside = await startReceiver(undefined, { host: '127.0.0.2', port: Number(port) });
    let asked = 0;
    const names = await startNameServer((_name, type) =>
      type === 'AAAA' ? [] : [++asked % 2 === 1 ? '127.0.0.1' : '127.0.0.2'],
    );
    open.push(wanted.close, inside.close, names.close);
    const outcomes: string[] = [];
    for (let round = 0; round < 6; round += 1)
      outcomes.push(
        await deliver(`http://rebinding.example:${port}/`, `${permitted},rebinding.elsewhere+http`, {
          resolve: nameServers([names.address]),
        }),
      );
    expect(outcomes).toEqual([
      'response',
      'address-not-allowed',
      'response',
      'address-not-allowed',
      'response',
      'address-not-allowed',
    ]);
    expect(wanted.received).toHaveLength(3);
    expect(inside.received).toEqual([]);
  });

  it.each([
    ['a second address', (_name: string, type: string) => (type === 'A' ? ['127.0.0.1', '127.0.0.2'] : [])],
    ['an IPv6 address', (_name: string, type: string) => (type === 'A' ? ['127.0.0.1'] : ['::1'])],
    [
      'an IPv4 address inside of IPv6',
      (_name: string, type: string) => (type === 'A' ? ['127.0.0.1'] : ['64:ff9b::7f00:1']),
    ],
  ])('is refused for %s that is not allowed', async (_what, answer) => {
    const wanted = await startReceiver();
    const names = await startNameServer(answer);
    open.push(wanted.close, names.close);
    const url = `http://two-faced.example:${new URL(wanted.url).port}/`;
    expect(await deliver(url, permitted, { resolve: nameServers([names.address]) })).toBe('address-not-allowed');
    expect(wanted.received).toEqual([]);
  });

  it('is a failure without a dial when it has no address at all', async () => {
    const names = await startNameServer(() => []);
    open.push(names.close);
    const before = dialled;
    expect(await deliver('https://nowhere.example/', '', { resolve: nameServers([names.address]) })).toBe(
      'name-not-found',
    );
    expect(dialled).toBe(before);
  });
});

describe('a receiver that answers with a redirect', () => {
  it.each([301, 302, 303, 307, 308])('%i is an answer; where it points is never asked', async (status) => {
    const target = await startReceiver();
    const { url, received, close } = await startReceiver((_request, response) =>
      response.writeHead(status, { location: target.url }).end(),
    );
    open.push(target.close, close);
    expect(await deliver(url, '127.0.0.1+http')).toBe('response');
    expect(received).toHaveLength(1);
    expect(target.received).toEqual([]);
  });
});
