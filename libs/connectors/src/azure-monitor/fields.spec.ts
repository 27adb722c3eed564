import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compileConnector } from '../kit/compile.ts';
import { payloadOfSample, sampleContext } from '../kit/expected-result.ts';
import { source } from './source.ts';

describe('what is kept of a payload', () => {
  it.each([
    [
      'metric-fired.json',
      {
        target_resource: expect.stringMatching(/\/virtualmachines\/orders-1$/),
        data: { essentials: { severity: 'Sev1' } },
      },
    ],
    ['older-metric-activated.json', { target_resource: expect.stringMatching(/\/namespaces\/shop-bus$/) }],
    ['activity-log.json', { target_resource: expect.stringMatching(/\/virtualMachines\/orders-2$/) }],
  ])('is the target resource and the severity as stated: %s', (name, expected: object) => {
    const bytes = readFileSync(new URL(`./samples/${name}`, import.meta.url));
    const result = compileConnector(source).normalize(payloadOfSample(bytes), sampleContext);
    expect(result.kind === 'alerts' && result.alerts[0]?.fields).toMatchObject(expected);
  });
});
