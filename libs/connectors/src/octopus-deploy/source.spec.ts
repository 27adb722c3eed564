import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compileConnector } from '../kit/compile.ts';
import { sampleContext } from '../kit/expected-result.ts';
import { release } from './documents.ts';
import { source } from './source.ts';

describe('an event of Octopus Deploy', () => {
  it('never keeps the address and the secret header that the subscription repeats', () => {
    const bytes = readFileSync(new URL('samples/deployment-failed.json', import.meta.url));
    expect(bytes.toString()).toContain('0123456789'); // the secret in the sample
    const result = compileConnector(source).normalize({ bytes, contentType: 'application/json' }, sampleContext);
    expect(result.kind).toBe('alerts');
    for (const secret of ['0123456789', 'webhook/abc']) expect(JSON.stringify(result)).not.toContain(secret);
  });

  it('reads project, version and environment from a message without references', () => {
    const Message = 'Deploy to Live succeeded  for Web for EU release 2.0.1-rc.1 to Live EU';
    expect(release({ Message })).toEqual({ project: 'Web for EU', version: '2.0.1-rc.1', environment: 'Live EU' });
    expect(release({ Message: 'Machine web-03 is healthy' })).toBeUndefined();
  });
});
