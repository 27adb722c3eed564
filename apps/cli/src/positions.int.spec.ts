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
});
