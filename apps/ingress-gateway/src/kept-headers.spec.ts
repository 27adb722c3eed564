import { describe, expect, it } from 'vitest';
import { keptHeaders, keptQuery } from './kept-headers.ts';

const keep = (pairs: Record<string, string>, credentialHeaders: string[] = []) =>
  keptHeaders(Object.entries(pairs).flat(), credentialHeaders);

describe('the headers that are stored with a receipt', () => {
  it.each([
    'Authorization',
    'Proxy-Authorization',
    'Cookie',
    'Set-Cookie',
    'X-API-Key',
    'Api-Key',
    'X-Signature',
    'X-Webhook-Signature',
    'X-PagerDuty-Signature',
    'X-Hub-Signature-256',
    'Sentry-Hook-Signature',
    'X-Gitlab-Token',
    'X-Honeycomb-Webhook-Token',
    'X-Amz-Security-Token',
    'X-Auth-Event',
    'X-My-Password',
    'X-Access-Key',
    'X-Session-Id',
    'Host',
    'Accept',
    'Connection',
    'X-Anything',
  ])('leave out %s', (name) => expect(keep({ [name]: 'value' })).toEqual({}));

  it('hold what names the sender, the event and the delivery', () => {
    const sent = {
      'User-Agent': 'curl/8',
      'X-GitHub-Event': 'push',
      'X-GitHub-Delivery': 'd-1',
      'X-Webhook-Subscription': 's-1',
      'Sentry-Hook-Resource': 'issue',
      'webhook-id': 'm-1',
    };
    expect(keep(sent)).toEqual(
      Object.fromEntries(Object.entries(sent).map(([name, value]) => [name.toLowerCase(), value])),
    );
  });

  it("never hold the header that carries this webhook's credential, whatever its name", () =>
    expect(keep({ 'X-Vendor-Event': 'really a secret', 'X-Other-Event': 'e' }, ['x-vendor-event'])).toEqual({
      'x-other-event': 'e',
    }));

  it('are few and short', () => {
    const many = keep(Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`X-N${n}-Event`, 'v'.repeat(5_000)])));
    expect(Object.keys(many)).toHaveLength(32);
    expect(Object.values(many).every((value) => value.length === 1_024)).toBe(true);
  });
});

describe('the query that is stored with a receipt', () => {
  it.each([
    ['/webhook/abc/trigger', ''],
    ['/api/integrations/webhook?integrationId=whk_1&env=prod', 'integrationId=whk_1&env=prod'],
    ['/webhook/abc/trigger?token=s3cret&a=1&auth_token=x&API_KEY=y&key=z&sig=q&secret=1', 'a=1'],
  ])('of %s is %j', (target, expected) => expect(keptQuery(target)).toBe(expected));
});
