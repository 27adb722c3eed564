import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { authenticate, credentialRuleOf } from '@tocsin/domain/authentication';
import { describe, expect, it } from 'vitest';
import { connectorAuthOf } from './platforms.ts';

/** The vectors of libs/domain/src/authentication/reference-vectors.spec.ts once more, with what the connectors declare. */
const folder = fileURLToPath(new URL('../../../../shared/samples/', import.meta.url));
const file = join(folder, 'signature-vectors.json');

interface Vector {
  platform: string;
  body?: string;
  body_file?: string;
  secret?: string;
  url?: string;
  header?: string;
  timestamp?: string;
  value?: string;
}
const vectors = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Vector[]) : [];
const signed = vectors.filter(({ value }) => value !== undefined);

describe('reference vectors', () => {
  it('are here or not', () => expect(signed.length > 0).toBe(existsSync(file)));

  it.each(signed.map((vector, at) => [`${vector.platform} ${at}`, vector] as const))(
    'hold for the connector as it is: %s',
    (_name, { platform, body, body_file, secret = '', url = '', header = '', timestamp, value = '' }) => {
      const connector = connectorAuthOf(platform.replace(/-form$/, ''));
      expect(connector).toBeDefined();
      const rule = credentialRuleOf(connector, { method: 'hmac', header: null, prefix: null, username: null }, [
        { bytes: Buffer.from(secret), notAfter: null },
      ]);
      const bytes = body_file === undefined ? Buffer.from(body ?? '') : readFileSync(join(folder, body_file));
      const time = timestamp ?? /t=(\d+)/.exec(value)?.[1] ?? '0';
      const timeHeader = timestamp === undefined ? [] : ['X-Grafana-Alerting-Timestamp', timestamp];
      const attempt = (of: Uint8Array) =>
        authenticate(rule, {
          rawHeaders: [header, value, ...timeHeader],
          bodies: [of],
          now: Number(time) * 1_000,
          urls: () => [url],
        });
      expect(attempt(bytes)).toEqual({ ok: true });
      expect(attempt(Buffer.concat([bytes, Buffer.from(' ')])).ok).toBe(false);
    },
  );
});
