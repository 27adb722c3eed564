import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openJournal } from '@tocsin/event-log/journal';
import { loadConfig, ShellEnvironment, startApplication, startPlatform } from '@tocsin/nest-shell';
import { testDatabase } from '@tocsin/testing';
import { expect, it } from 'vitest';
import { controlPlane } from './index.ts';

const KEY = `tsk_bootstrapkeyaaaaaaaaaaaaaa_${'s'.repeat(52)}`;

it('a key that was just made is known at once, however often the feed was asked before', async () => {
  const database = await testDatabase({
    migrations: [{ schema: 'control_plane', directory: controlPlane.migrations! }],
  });
  const directory = await mkdtemp(join(tmpdir(), 'tocsin-fresh-keys-'));
  const environment = { LOG_LEVEL: 'silent', TOCSIN_DATA_DIR: directory, TOCSIN_BOOTSTRAP_API_KEY: KEY };
  const platform = await startPlatform({
    name: 'fresh-keys-spec',
    shell: loadConfig(ShellEnvironment, environment),
    environment,
    databaseUrl: database.url,
    keyRing: `k1:${randomBytes(32).toString('base64')}`,
    pepper: 'pepper-of-the-test-installation',
    openLog: () => openJournal({}),
    definitions: [controlPlane],
  });
  const application = await startApplication(platform, [controlPlane.module], [controlPlane.name], {
    host: '127.0.0.1',
    port: 0,
  });
  const call = (method: string, path: string, key: string, body?: string) =>
    fetch(`${application.url}/api/v1/${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body }),
    });
  const statuses: number[] = [];
  for (let n = 0; n < 25; n++) {
    // Somebody with an unknown key keeps the feed reading all the time.
    const noise = Promise.all(
      Array.from({ length: 5 }, () => call('GET', 'webhooks', `tsk_${'a'.repeat(16)}_${'b'.repeat(52)}`)),
    );
    const made = await call('POST', 'api-keys', KEY, JSON.stringify({ name: `key ${n}`, scopes: ['admin'] }));
    const { key } = (await made.json()) as { key: string };
    statuses.push((await call('GET', 'webhooks', key)).status);
    await noise;
  }
  await application.close();
  await database.drop();
  await rm(directory, { recursive: true, force: true });
  expect(new Set(statuses)).toEqual(new Set([200]));
});
