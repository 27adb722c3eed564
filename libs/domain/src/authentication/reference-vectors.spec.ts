import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { authenticate, credentialRuleOf, type ConnectorAuth, type SignatureScheme } from './index.ts';
import { readSnsMessage, snsStringToSign } from './sns.ts';

/**
 * Vectors of vendors' own test suites and of senders that were observed. They are not part of this repository; where a folder of
 * them lies beside the checkout as `shared/samples`, every one is checked.
 */
const folder = fileURLToPath(new URL('../../../../../shared/samples/', import.meta.url));
const file = join(folder, 'signature-vectors.json');

interface Vector {
  platform: string;
  body?: string;
  body_file?: string;
  secret?: string;
  url?: string;
  header?: string;
  timestamp_header?: string;
  timestamp?: string;
  value?: string;
  string_to_sign?: string;
}
const vectors = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Vector[]) : [];

/** What the connectors of these platforms declare, where it is not the usual signature. */
const special: Record<string, SignatureScheme> = {
  'grafana-incident': { headers: ['gi-signature'], signs: 'digest-timestamp' },
  grafana: { headers: ['x-grafana-alerting-signature'], timestampHeader: 'x-grafana-alerting-timestamp' },
  'splunk-observability': { headers: ['x-sfx-signature'], algorithms: ['sha1', 'sha256'], encoding: 'base64' },
  'splunk-oncall': { headers: ['x-victorops-signature'], algorithms: ['sha1'], encoding: 'base64', signs: 'url-form' },
};
const bodyOf = (vector: Vector) =>
  vector.body_file === undefined ? Buffer.from(vector.body ?? '') : readFileSync(join(folder, vector.body_file));

describe('reference vectors', () => {
  it('are checked, or it is said that they are not here', () => {
    if (vectors.length === 0) console.warn(`no signature vectors beside the checkout (${file})`);
    expect(existsSync(file)).toBe(vectors.length > 0);
  });

  it.each(
    vectors
      .filter(({ value }) => value !== undefined)
      .map((vector, at) => [`${vector.platform} ${at}`, vector] as const),
  )('hold and fit no other body: %s', (_name, vector) => {
    const header = (vector.header ?? '').toLowerCase();
    const scheme = special[vector.platform];
    const connector: ConnectorAuth = {
      default: 'hmac',
      also: [],
      signatureHeaders: [header],
      ...(scheme ? { signatures: [scheme] } : {}),
    };
    const rule = credentialRuleOf(connector, { method: 'hmac', header: null, prefix: null, username: null }, [
      { bytes: Buffer.from(vector.secret ?? ''), notAfter: null },
    ]);
    const timeHeader = vector.timestamp === undefined ? [] : ['X-Grafana-Alerting-Timestamp', vector.timestamp];
    const time = vector.timestamp ?? /t=(\d+)/.exec(vector.value ?? '')?.[1] ?? '0';
    const attempt = (body: Uint8Array, now = Number(time) * 1_000) =>
      authenticate(rule, {
        rawHeaders: [vector.header ?? '', vector.value ?? '', ...timeHeader],
        bodies: [body],
        now,
        urls: () => [vector.url ?? ''],
      });
    const body = bodyOf(vector);
    expect(attempt(body)).toEqual({ ok: true });
    expect(attempt(Buffer.concat([body, Buffer.from('&x=1')]))).toEqual({ ok: false, reason: 'credential-wrong' });
    if (time !== '0')
      expect(attempt(body, Number(time) * 1_000 + 301_000)).toEqual({ ok: false, reason: 'credential-stale' });
  });

  it.each(
    vectors
      .filter((vector) => vector.string_to_sign !== undefined)
      .map((vector) => [vector.body_file, vector] as const),
  )('give the same string to sign: %s', (_name, vector) => {
    const message = readSnsMessage(bodyOf(vector));
    expect(message && snsStringToSign(message)).toBe(vector.string_to_sign);
  });
});
