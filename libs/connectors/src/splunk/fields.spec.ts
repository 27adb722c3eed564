import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compileConnector } from '../kit/compile.ts';
import { payloadOfSample, sampleContext } from '../kit/expected-result.ts';
import { source } from './source.ts';

describe('what is kept of a payload', () => {
  it.each([
    [
      'disk-usage.json',
      {
        results_link: expect.stringContaining('@go?sid='),
        result: { percent: '97', host: 'db-3', tag: ['storage', 'database'] },
      },
    ],
  ])('is the columns of the row and the link of the search: %s', (name, expected: object) => {
    const bytes = readFileSync(new URL(`./samples/${name}`, import.meta.url));
    const result = compileConnector(source).normalize(payloadOfSample(bytes), sampleContext);
    expect(result.kind === 'alerts' && result.alerts[0]?.fields).toMatchObject(expected);
  });
});
