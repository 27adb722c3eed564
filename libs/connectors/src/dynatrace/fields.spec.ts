import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compileConnector } from '../kit/compile.ts';
import { payloadOfSample, sampleContext } from '../kit/expected-result.ts';
import { source } from './source.ts';

describe('what is kept of a payload', () => {
  it.each([
    ['open.json', { impact: 'SERVICE', root_cause_entity: 'basket-db postgres' }],
    [
      'older-details-large-id.json',
      { impact: 'ENVIRONMENT', root_cause_entity: 'gateway', PID: '9007199254740993117' },
    ],
  ])('is impact and root-cause entity: %s', (name, expected: object) => {
    const bytes = readFileSync(new URL(`./samples/${name}`, import.meta.url));
    const result = compileConnector(source).normalize(payloadOfSample(bytes), sampleContext);
    expect(result.kind === 'alerts' && result.alerts[0]?.fields).toMatchObject(expected);
  });
});
