import { createPools, setPosition } from '@tocsin/postgres';
import { testDatabase } from '@tocsin/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from './run.ts';
import { FakeTerminal } from './spec/fake-terminal.ts';

describe('positions', () => {
  let database: Awaited<ReturnType<typeof testDatabase>>;
  const tocsin = async (...args: string[]) => {
    const terminal = new FakeTerminal({}, { DATABASE_URL: database.url });
    return { code: await run(['positions', ...args], terminal), out: terminal.printed, err: terminal.complained };
  };
  const to = (offset: string, ...more: string[]) => [
    'set',
    '--service',
    'rca-trigger',
    '--topic',
    'change.events',
    '--partition',
    '3',
    '--offset',
    offset,
    ...more,
  ];

  beforeAll(async () => {
    database = await testDatabase({ migrations: [{ schema: 'rca_trigger' }, { schema: 'incident_store' }] });
  });
  afterAll(() => database.drop());

  it('says so where nothing is stored yet', async () => {
    expect(await tocsin('show')).toEqual({ code: 0, out: 'No positions are stored yet.\n', err: '' });
  });

  it('cannot guess the log of a consumer that never ran', async () => {
    const { code, err } = await tocsin(...to('7'));
    expect(code).toBe(2);
    expect(err).toContain('--log-id');
  });

  it('refuses a service that keeps none in this database', async () => {
    const { code, err } = await tocsin(
      'set',
      '--service',
      'dedup-correlator',
      '--topic',
      'correlation.inputs',
      '--partition',
      '0',
      '--offset',
      '1',
    );
    expect(code).toBe(2);
    expect(err).toContain('keeps no positions');
  });

  it('shows and moves what is stored, in the log that is stored or the one that is named', async () => {
    const pools = createPools({ connectionString: database.url, applicationName: 'positions.int.spec' });
    await setPosition(pools.pipeline, 'rca_trigger', {
      group: 'rca-trigger',
      topic: 'change.events',
      partition: 3,
      logId: 'log-a',
      next: 41n,
    });
    await pools.close();
    expect((await tocsin('show')).out).toMatch(
      /^SERVICE +TOPIC +PARTITION +NEXT OFFSET +LOG ID\nrca-trigger +change\.events +3 +41 +log-a\n$/,
    );
    expect((await tocsin(...to('9007199254740993'))).out).toContain(
      'rca-trigger change.events/3: 41 of log log-a → 9007199254740993 of log log-a\n',
    );
    expect((await tocsin(...to('0', '--log-id', 'log-b'))).code).toBe(0);
    expect((await tocsin('show', '--service', 'rca-trigger')).out).toMatch(
      /rca-trigger +change\.events +3 +0 +log-b\n$/,
    );
    expect((await tocsin('show', '--service', 'incident-store')).out).toBe('No positions are stored yet.\n');
  });

  it('moves everything to a new log, above what any service has stored, or to the offset that is given', async () => {
    const pools = createPools({ connectionString: database.url, applicationName: 'positions.int.spec' });
    const at = (schema: string, group: string, next: bigint, logId: string) =>
      setPosition(pools.pipeline, schema, { group, topic: 'rca.events', partition: 1, logId, next });
    await at('rca_trigger', 'rca-trigger', 3n, 'log-b');
    await at('incident_store', 'incident-store', 9n, 'log-b');
    await pools.close();
    expect((await tocsin('adopt', '--log-id', 'log-c')).out).toContain('3 positions go on in log log-c');
    const lines = (await tocsin('show')).out.trim().split('\n').slice(1);
    expect(lines.map((line) => line.split(/ +/).slice(1))).toEqual([
      ['rca.events', '1', '9', 'log-c'],
      ['change.events', '3', '0', 'log-c'],
      ['rca.events', '1', '9', 'log-c'],
    ]);
    expect((await tocsin('adopt', '--log-id', 'log-c')).out).toContain('0 positions go on');
    expect((await tocsin('adopt', '--log-id', 'log-d', '--offset', '0')).out).toContain('3 positions');
    expect((await tocsin('show')).out.match(/ 0 +log-d/g)).toHaveLength(3);
  });
});
