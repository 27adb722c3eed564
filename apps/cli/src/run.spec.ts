import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run } from './run.ts';
import { FakeTerminal } from './spec/fake-terminal.ts';

const tocsin = async (
  args: string[],
  files: Record<string, string> = {},
  environment: Record<string, string | undefined> = {},
) => {
  const terminal = new FakeTerminal(files, environment);
  return { code: await run(args, terminal), out: terminal.printed, err: terminal.complained };
};
const normalize = async (connector: string, payload: unknown, ...more: string[]) => {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
  const { code, out } = await tocsin(['normalize', '--connector', connector, ...more, 'payload.json'], {
    'payload.json': text,
    'headers.json': '{"Content-Type":"text/plain"}',
  });
  return { code, result: JSON.parse(out) };
};

describe('a command line that is not understood', () => {
  it.each([
    ['a command is needed', []],
    ["there is no command 'constructor'", ['constructor']],
    ['there is show, set, adopt', ['positions']],
    ['there is show, set, adopt', ['positions', 'delete']],
    ['there is show, set, adopt', ['positions', 'toString']],
    ['--log-id: the id', ['positions', 'adopt']],
    ['--service: one of ingress-gateway', ['positions', 'show', '--service', 'console']],
    ["Unknown option '--all'", ['positions', 'show', '--all']],
    [
      'incident-store hears alert.correlated',
      [
        'positions',
        'set',
        '--service',
        'incident-store',
        '--topic',
        'webhook.received',
        '--partition',
        '0',
        '--offset',
        '1',
      ],
    ],
    [
      'alert.correlated has partitions 0 to 11',
      [
        'positions',
        'set',
        '--service',
        'incident-store',
        '--topic',
        'alert.correlated',
        '--partition',
        '12',
        '--offset',
        '1',
      ],
    ],
    [
      '--offset: a whole number',
      [
        'positions',
        'set',
        '--service',
        'incident-store',
        '--topic',
        'alert.correlated',
        '--partition',
        '0',
        '--offset=-1',
      ],
    ],
    [
      '--offset: a whole number',
      [
        'positions',
        'set',
        '--service',
        'incident-store',
        '--topic',
        'alert.correlated',
        '--partition',
        '0',
        '--offset',
        '9223372036854775808',
      ],
    ],
    ['--connector: one of alertsite', ['normalize', 'payload.json']],
    ['exactly one payload', ['normalize', '--connector', 'generic']],
    ['missing.json cannot be read', ['normalize', '--connector', 'generic', 'missing.json']],
    ['must be an object of texts', ['normalize', '--connector', 'generic', '--headers', 'list.json', 'payload.json']],
    ['is not JSON', ['normalize', '--connector', 'generic', '--headers', 'broken.json', 'payload.json']],
    [
      '--mapping: mapping.fields.title: "[" is not closed (column 4)',
      ['normalize', '--connector', 'generic', '--mapping', 'mapping.json', 'payload.json'],
    ],
  ])('says "%s" and ends with 2', async (message, args) => {
    const { code, out, err } = await tocsin(args, {
      ...{ 'payload.json': '{}', 'list.json': '[1]', 'broken.json': '{' },
      'mapping.json': '{"fields":{"title":"$.b["}}',
    });
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(message);
    expect(err).toContain('Usage:');
  });

  it('is explained by --help, which ends with 0', async () => {
    expect(await tocsin(['--help'])).toMatchObject({ code: 0, err: '' });
  });
});

describe('positions without a database', () => {
  const nowhere = join(tmpdir(), 'tocsin-cli-without-data');

  it.each([
    ['nothing is named', { TOCSIN_DATA_DIR: nowhere }],
    ['another kind of database is named', { DATABASE_URL: 'mysql://localhost' }],
  ])('names DATABASE_URL and ends with 78 where %s', async (_what, environment) => {
    const { code, err } = await tocsin(['positions', 'show'], {}, environment);
    expect(code).toBe(78);
    expect(err).toContain('DATABASE_URL');
  });

  it('ends with 1 where nobody listens, and never prints the password', async () => {
    const { code, err } = await tocsin(
      ['positions', 'show'],
      {},
      { DATABASE_URL: 'postgres://me:hidden-word@127.0.0.1:1/tocsin' },
    );
    expect(code).toBe(1);
    expect(err).not.toBe('');
    expect(err).not.toContain('hidden-word');
  });
});

describe('normalize', () => {
  it('prints the alerts of a payload in snake_case', async () => {
    const { code, result } = await normalize('generic', {
      title: 'Disk full',
      severity: 'critical',
      service: 'db',
      dedup_key: 'disk-1',
    });
    expect(code).toBe(0);
    expect(result).toMatchObject({ ignored: null, dead_letter: null, notes: [] });
    expect(result.alerts).toHaveLength(1);
    expect(result.alerts[0]).toMatchObject({
      title: 'Disk full',
      severity: 'critical',
      status: 'triggered',
      services: ['db'],
      tags: [],
      url: null,
      dedup_key: 'disk-1',
      dedup_key_origin: 'connector',
      occurred_at: null,
    });
  });

  it('names an ignored payload by its reason, and ends with 0', async () => {
    const { code, result } = await normalize('generic', []);
    expect(code).toBe(0);
    expect(result).toMatchObject({ alerts: [], ignored: { reason: 'empty-batch' }, dead_letter: null });
  });

  it.each([
    ['undecodable-payload', '{"title": '],
    ['unrecognised-payload', '{"other": 1}'],
  ])('names an unreadable payload by its reason %s, and ends with 0', async (reason, payload) => {
    const { code, result } = await normalize('prometheus', payload);
    expect(code).toBe(0);
    expect(result).toMatchObject({ alerts: [], ignored: null, dead_letter: { reason } });
  });

  it('applies a mapping of the user', async () => {
    const { code, out } = await tocsin(
      ['normalize', '--connector', 'generic', '--mapping', 'mapping.json', 'payload.json'],
      {
        'payload.json': '{"what":"Down","level":"warn"}',
        'mapping.json': '{"field_mapping":{"title":"$.what","dedup_key":"$.what"},"severity":{"warn":"critical"}}',
      },
    );
    expect(code).toBe(0);
    expect(JSON.parse(out).alerts).toMatchObject([
      { title: 'Down', severity: 'critical', dedup_key: 'Down', dedup_key_origin: 'mapping', notes: [] },
    ]);
  });

  it('says which elements of a list became no alert, beside those that did', async () => {
    const { result } = await normalize('generic', [{ title: 'A' }, 5], '--headers', 'headers.json', '--query', 'a=b');
    expect(result.alerts.map((alert: { index: number }) => alert.index)).toEqual([0]);
    expect(result).toMatchObject({
      ignored: null,
      dead_letter: null,
      notes: [{ index: 1, outcome: 'dead-lettered', reason: 'unrecognised-payload' }],
    });
  });
});
