import { describe, expect, it } from 'vitest';
import { ALLOW_NOTHING, allowListOf, checkAddress, checkUrl, parseAllowList, type UrlRefusal } from './url-policy.ts';

const refusalOf = (url: string, allow = ''): UrlRefusal | 'ok' => {
  const verdict = checkUrl(url, parseAllowList(allow));
  return verdict.ok ? 'ok' : verdict.reason;
};

describe('a receiver without an allow-list', () => {
  it.each([
    'https://hooks.example.com/x?y=1',
    'https://hooks.example.com:8443/',
    'https://HOOKS.example.com./',
    'https://8.8.8.8/',
    'https://[2606:4700:4700::1111]/',
    'https://bücher.example/',
    'https://127.0.0.1.nip.example/',
    'https://localhost.example.com/',
  ])('%s may be stored', (url) => expect(refusalOf(url)).toBe('ok'));

  it.each<[string, UrlRefusal]>([
    ['http://hooks.example.com/', 'https-required'],
    ['http://8.8.8.8/', 'https-required'],
    ['ftp://hooks.example.com/', 'scheme-not-allowed'],
    ['file:///etc/passwd', 'scheme-not-allowed'],
    ['gopher://hooks.example.com/', 'scheme-not-allowed'],
    ['data:text/plain,x', 'scheme-not-allowed'],
    ['javascript:alert(1)', 'scheme-not-allowed'],
    ['unix:/var/run/docker.sock', 'scheme-not-allowed'],
    ['hooks.example.com', 'not-a-url'],
    ['/relative', 'not-a-url'],
    ['https://', 'not-a-url'],
    ['https://[fe80::1%25eth0]/', 'not-a-url'],
    ['https://256.256.256.256/', 'not-a-url'],
    ['https://user:password@hooks.example.com/', 'userinfo-not-allowed'],
    ['https://user@hooks.example.com/', 'userinfo-not-allowed'],
    ['https://hooks.example.com@127.0.0.1/', 'userinfo-not-allowed'],
    ['https://localhost/', 'local-name'],
    ['https://LOCALHOST./', 'local-name'],
    ['https://a.localhost/', 'local-name'],
    ['https://127.0.0.1/', 'private-address'],
    ['https://127.0.0.1./', 'private-address'],
    ['https://127.1/', 'private-address'],
    ['https://2130706433/', 'private-address'],
    ['https://017700000001/', 'private-address'],
    ['https://0x7f000001/', 'private-address'],
    ['https://0x7f.1/', 'private-address'],
    ['https://0177.0.0.1/', 'private-address'],
    ['https://１２７.0.0.1/', 'private-address'],
    ['https://127。0。0。1/', 'private-address'],
    ['https://%31%32%37.0.0.1/', 'private-address'],
    ['https://0/', 'private-address'],
    ['https://0.0.0.0/', 'private-address'],
    ['https://10.0.0.1/', 'private-address'],
    ['https://192.168.1.1:8443/', 'private-address'],
    ['https://169.254.169.254/latest/meta-data/', 'private-address'],
    ['https://2852039166/', 'private-address'],
    ['https://[::1]/', 'private-address'],
    ['https://[::]/', 'private-address'],
    ['https://[::ffff:127.0.0.1]/', 'private-address'],
    ['https://[::ffff:7f00:1]/', 'private-address'],
    ['https://[::ffff:8.8.8.8]/', 'private-address'],
    ['https://[64:ff9b::7f00:1]/', 'private-address'],
    ['https://[2002:7f00:1::]/', 'private-address'],
    ['https://[fd00:ec2::254]/', 'private-address'],
    ['http://127.0.0.1/', 'private-address'],
    [`https://hooks.example.com/${'x'.repeat(2048)}`, 'too-long'],
  ])('%s is refused: %s', (url, reason) => expect(refusalOf(url)).toBe(reason));

  it('names the setting that would open it, in the refusal and in its message', () => {
    for (const url of ['http://hooks.example.com/', 'https://10.0.0.1/', 'https://localhost/']) {
      const verdict = checkUrl(url, ALLOW_NOTHING);
      expect(verdict).toMatchObject({
        ok: false,
        setting: 'OUTBOUND_ALLOW',
        message: expect.stringContaining('OUTBOUND_ALLOW'),
      });
    }
    expect(checkUrl('ftp://a.example/', ALLOW_NOTHING)).toMatchObject({ setting: null });
  });
});

describe('an allow-list', () => {
  it.each<[string, string, UrlRefusal | 'ok']>([
    ['10.0.0.0/8', 'https://10.1.2.3/', 'ok'],
    ['10.0.0.0/8', 'http://10.1.2.3/', 'private-address'],
    ['10.0.0.0/8+http', 'http://10.1.2.3/', 'ok'],
    ['10.0.0.0/8', 'https://11.1.2.3/', 'ok'],
    ['10.0.0.0/8', 'https://192.168.0.1/', 'private-address'],
    ['127.0.0.1+http', 'http://127.0.0.1:9999/', 'ok'],
    ['127.0.0.1+http', 'http://[::ffff:127.0.0.1]/', 'ok'],
    ['::1', 'https://[::1]/', 'ok'],
    ['[::1]+http', 'http://[::1]/', 'ok'],
    ['fd00::/8', 'https://[fd00::5]/', 'ok'],
    ['localhost+http', 'http://localhost:8080/sink', 'ok'],
    ['localhost', 'http://localhost:8080/sink', 'local-name'],
    ['hooks.example.com+http', 'http://hooks.example.com/', 'ok'],
    ['hooks.example.com+http', 'http://other.example.com/', 'https-required'],
    ['*.corp.example+http', 'http://jira.corp.example/', 'ok'],
    ['*.corp.example+http', 'http://corp.example.evil.example/', 'https-required'],
    ['10.0.0.0/8+http', 'http://jira.corp.example/', 'ok'], // judged by its address when it is dialled
    ['10.0.0.0/8', 'http://jira.corp.example/', 'https-required'],
  ])('%s: %s is %s', (allow, url, expected) => expect(refusalOf(url, allow)).toBe(expected));

  it.each(['10.0.0.0/33', 'a b', 'http://x/', '300.1.1.1', '+http', '*'])(
    'cannot be read with the entry %j, and says so',
    (text) => expect(() => parseAllowList(`ok.example,${text}`)).toThrow(`"${text}"`),
  );

  it('opens loopback in development only', () => {
    expect(checkUrl('http://127.0.0.1/', allowListOf('', true)).ok).toBe(true);
    expect(checkUrl('http://127.0.0.1/', allowListOf('', false)).ok).toBe(false);
  });
});

describe('a dialled address', () => {
  const at = (host: string, address: string, scheme: 'http' | 'https', allow = '') =>
    checkAddress({ host, address, scheme }, parseAllowList(allow)).ok;

  it('is judged by itself, whatever the name is', () => {
    expect(at('hooks.example.com', '8.8.8.8', 'https')).toBe(true);
    expect(at('hooks.example.com', '169.254.169.254', 'https')).toBe(false);
    expect(at('hooks.example.com', '', 'https')).toBe(false);
  });

  it('is allowed by its range or by the name of the receiver', () => {
    expect(at('jira.corp.example', '10.0.0.5', 'https', '10.0.0.0/8')).toBe(true);
    expect(at('jira.corp.example', '10.0.0.5', 'https', 'jira.corp.example')).toBe(true);
    expect(at('jira.corp.example', '10.0.0.5', 'http', '10.0.0.0/8')).toBe(false);
    expect(at('jira.corp.example', '8.8.8.8', 'http', '10.0.0.0/8+http')).toBe(false);
  });
});
