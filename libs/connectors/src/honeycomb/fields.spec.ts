import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compileConnector } from '../kit/compile.ts';
import { payloadOfSample, sampleContext } from '../kit/expected-result.ts';
import { source } from './source.ts';

describe('what is kept of a payload', () => {
  it.each([['triggered.json', { shared_secret: '[redacted]', threshold: 1000 }]])(
    'is everything but the shared secret: %s',
    (name, expected: object) => {
      const bytes = readFileSync(new URL(`./samples/${name}`, import.meta.url));
      const result = compileConnector(source).normalize(payloadOfSample(bytes), sampleContext);
      expect(result.kind === 'alerts' && result.alerts[0]?.fields).toMatchObject(expected);
    },
  );
});
