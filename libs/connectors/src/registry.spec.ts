import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { source as generic } from './generic/source.ts';
import { registryOf } from './kit/registry-of.ts';
import { connectorBySlug, connectorOf, connectors } from './registry.ts';

const generator = fileURLToPath(new URL('../../../tools/connectors/registry.mjs', import.meta.url));

describe('the registry', () => {
  it('is what the generator writes from the folders', () =>
    expect(execFileSync(process.execPath, [generator, '--check'], { encoding: 'utf8' })).toContain('up to date'));

  it('finds each connector by its id and by each of its other names', () => {
    for (const connector of connectors) {
      expect(connectorOf(connector.source.id)).toBe(connector);
      for (const slug of connector.source.slugs) expect(connectorBySlug(slug)).toBe(connector);
    }
    expect(connectorOf('constructor')).toBeUndefined();
  });

  it('refuses two connectors that claim one name', () =>
    expect(() => registryOf([generic, { ...generic, id: 'other', slugs: ['generic'] }])).toThrow(
      'the connectors generic and other both claim "generic"',
    ));
});
