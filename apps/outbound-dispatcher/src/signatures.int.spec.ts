import { createHmac, createPublicKey, timingSafeEqual, verify } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { envelopeNames, type SealedSecret, type SignatureScheme, type SubscriptionBody } from '@tocsin/contracts';
import { publicKeyOf, signingKeyFrom } from '@tocsin/domain/delivery';
import { testDatabase, waitFor } from '@tocsin/testing';
import { Webhook as StandardWebhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outboundDispatcher } from './index.ts';
import { aBatch, anIncidentEvent } from './spec/events.ts';
import { aSubscription, startDispatcher, type Running } from './spec/harness.ts';
import { hasCryptography, hasPython, pythonWithStandardWebhooks, verdictsOf, type Delivered } from './spec/python.ts';

// Deliveries are verified by what receivers run: their own few lines in Node and Python, and the Standard Webhooks packages of both.

const OLD = `whsec_${Buffer.alloc(24, 1).toString('base64')}`;
const CURRENT = `whsec_${Buffer.alloc(24, 2).toString('base64')}`;
const GONE = `whsec_${Buffer.alloc(24, 3).toString('base64')}`;
const KEY = signingKeyFrom(Buffer.alloc(32, 7));
const all: SignatureScheme[] = ['x-cloudthinker', 'x-webhook', 'standard-v1', 'standard-v1a'];

interface Got extends Delivered {
  /** What a receiver says that verifies the parsed body, serialised again, as many handlers in Node do. */
  byParsedBody: boolean;
  raw: IncomingHttpHeaders;
}

/** A receiver in Node that never sees the raw bytes: it has the parsed body only. */
function verifyParsed(body: unknown, signature: unknown, secret: string): boolean {
  const expected = createHmac('sha256', secret).update(JSON.stringify(body)).digest('hex');
  const provided = String(signature).replace('sha256=', '');
  return provided.length === expected.length && timingSafeEqual(Buffer.from(provided), Buffer.from(expected));
}

let database: Awaited<ReturnType<typeof testDatabase>>;
let running: Running;
const got = new Map<string, Got[]>();
const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks).toString('utf8');
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const parsed: unknown = JSON.parse(body);
    const byParsedBody = ['x-cloudthinker-signature', 'x-webhook-signature'].every((name) =>
      verifyParsed(parsed, headers[name], CURRENT),
    );
    const name = (request.url ?? '').slice(1);
    got.set(name, [...(got.get(name) ?? []), { headers, body, byParsedBody, raw: request.headers }]);
    response.writeHead(204).end();
  });
});

/** Texts and keys that make signatures go wrong where bytes are made twice. */
const awkward = {
  ...{
    '10': 'ten',
    '2': 'two',
    ünï: 'ç',
    __proto__x: 1,
    '': 'empty',
    nested: { '1': [1e21, 0.1, -0, 1e-7, 123456789012345680000] },
  },
  text: 'line\r\n\u2028\u2029 "quoted" \\ / <b> & \u0000 \ud83d\ude00 \ud800 é',
};

beforeAll(async () => {
  database = await testDatabase({
    migrations: [{ schema: 'outbound_dispatcher', directory: outboundDispatcher.migrations! }],
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const later = new Date(Date.now() + 3_600_000).toISOString();
  const before = new Date(Date.now() - 1_000).toISOString();
  const forms: [string, Partial<SubscriptionBody>][] = [
    ...envelopeNames.map((envelope): [string, Partial<SubscriptionBody>] => [envelope, { envelope }]),
    ['transform', { transform: { all: '{{data}}', said: '{{data.title | upper}}' } }],
  ];
  const documents = forms.map(([name, body], at) => {
    const id = `sub_${'abcdefgh'.charAt(at).repeat(26)}`;
    const sealed = (secret: string, notAfter: string | null): SealedSecret => ({
      id: secret,
      sealed: `${id}|${secret}`,
      notAfter,
    });
    const secrets = [sealed(OLD, later), sealed(CURRENT, null), sealed(GONE, before)];
    const signingKeys = [{ ...sealed(KEY, null), publicKey: publicKeyOf(KEY) }];
    return aSubscription(
      { url: `${url}/${name}`, secrets, signingKeys, signatures: all, updateIntervalSeconds: 0, ...body },
      id,
    );
  });
  running = startDispatcher(database.url, documents);
  const events = ['plain', 'awkward'].map((title, at) => {
    const event = anIncidentEvent(title, at + 1, 'IncidentOpened', 'incident.created');
    if (at === 1) Object.assign(event.incident, { title: awkward.text, custom_fields: awkward });
    return event;
  });
  await running.dispatcher.plan(aBatch(...events));
  await waitFor(() => forms.every(([name]) => got.get(name)?.length === 2), {
    timeoutMs: 30_000,
    what: 'all deliveries',
  });
});
afterAll(async () => {
  await running?.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await database?.drop();
});

const deliveries = () => [...got.values()].flat();

describe('deliveries in every form, with four kinds of signatures at once', () => {
  it('verify in Node, from the parsed body serialised again', () => {
    expect(deliveries()).toHaveLength(2 * (envelopeNames.length + 1));
    expect(deliveries().map(({ byParsedBody }) => byParsedBody)).toEqual(deliveries().map(() => true));
  });

  it('verify in Python, with hmac', () => {
    if (!hasPython()) throw new Error('python3 is needed for this test: receivers use it');
    expect(verdictsOf('python3', 'hmac', CURRENT, deliveries())).toEqual(deliveries().map(() => 'ok'));
    expect(new Set(verdictsOf('python3', 'hmac', GONE, deliveries()))).toEqual(new Set(['wrong signature']));
  });

  it('verify with the package standardwebhooks of JavaScript: the current secret and the old one while it overlaps', () => {
    for (const { headers, body } of deliveries()) {
      for (const secret of [CURRENT, OLD])
        expect(() => new StandardWebhook(secret).verify(body, headers)).not.toThrow();
      expect(() => new StandardWebhook(GONE).verify(body, headers)).toThrow(/No matching signature/);
      expect(() => new StandardWebhook(CURRENT).verify(`${body} `, headers)).toThrow(/No matching signature/);
    }
  });

  it('verify with the package standardwebhooks of Python', (context) => {
    const found = pythonWithStandardWebhooks();
    if ('missing' in found) {
      process.stderr.write(`standardwebhooks (Python): not installed: ${found.missing}\n`);
      return context.skip(found.missing);
    }
    for (const secret of [CURRENT, OLD])
      expect(verdictsOf(found.python, 'standardwebhooks', secret, deliveries())).toEqual(deliveries().map(() => 'ok'));
    expect(new Set(verdictsOf(found.python, 'standardwebhooks', GONE, deliveries()))).toEqual(
      new Set(['No matching signature found']),
    );
  }, 240_000);

  it('verify with the public key, as Standard Webhooks v1a says (the packages know v1 only, and skip it)', () => {
    const x = Buffer.from(publicKeyOf(KEY).slice('whpk_'.length), 'base64').toString('base64url');
    const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    for (const { headers, body } of deliveries()) {
      const signatures = headers['webhook-signature']!.split(' ');
      expect(signatures.map((one) => one.split(',')[0])).toEqual(['v1', 'v1', 'v1a']);
      const signature = Buffer.from(signatures[2]!.split(',')[1]!, 'base64');
      const text = Buffer.from(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`);
      expect(verify(null, text, publicKey, signature)).toBe(true);
    }
  });

  it('verify with the public key in Python: with RFC 8032 written down once more, and with the package cryptography where it is', () => {
    const stranger = publicKeyOf(signingKeyFrom(Buffer.alloc(32, 8)));
    for (const method of ['ed25519', ...(hasCryptography() ? (['cryptography'] as const) : [])] as const) {
      expect(verdictsOf('python3', method, publicKeyOf(KEY), deliveries())).toEqual(deliveries().map(() => 'ok'));
      expect(new Set(verdictsOf('python3', method, stranger, deliveries()))).toEqual(new Set(['wrong signature']));
      const changed = deliveries().map((one) => ({ ...one, body: `${one.body} ` }));
      expect(new Set(verdictsOf('python3', method, publicKeyOf(KEY), changed))).toEqual(new Set(['wrong signature']));
    }
  });

  it('hold what was given, whatever its bytes are', () => {
    const body = JSON.parse(got.get('cloudthinker')![1]!.body) as { data: { title: string; custom_fields: object } };
    expect(body.data.title).toBe(awkward.text);
    // Names that JavaScript would sort to the front have an underscore.
    expect(Object.keys(body.data.custom_fields)).toEqual(expect.arrayContaining(['_10', '_2', 'ünï', 'text']));
  });
});
