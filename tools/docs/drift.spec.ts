import { readdirSync, readFileSync } from 'node:fs';
import { services } from '@tocsin/contracts';
import { describe, expect, it } from 'vitest';
import { readVariables } from './configuration-page.ts';
import { generatedFiles, pageFiles, pageOf, referenceFolder } from './pages.ts';
import { sections } from './reasons-page.ts';
import { readRoutes, serviceOfPath } from './routes-page.ts';

describe('docs/reference', () => {
  it.each(generatedFiles)('%s is what the code says (else: npm run build, then node tools/docs/main.ts)', (file) => {
    expect(readFileSync(new URL(file, referenceFolder), 'utf8')).toBe(pageOf(file));
  });

  it('holds no page that nothing generates', () => {
    expect(readdirSync(referenceFolder).sort()).toEqual([...pageFiles].sort());
  });

  it('explains each entry of a closed list, and none that is no entry', () => {
    for (const { title, names, meanings } of sections)
      expect([title, Object.keys(meanings).sort()]).toEqual([title, [...names].sort()]);
  });
});

describe('what the pages are read from', () => {
  it('finds the routes of every service that people and senders call', () => {
    const apps = new Set(readRoutes().map((route) => route.app));
    for (const app of ['ingress-gateway', 'incident-store', 'rca-trigger', 'outbound-dispatcher', 'control-plane'])
      expect(apps).toContain(app);
  });

  it('agrees with the public table of paths about who serves what', () => {
    const served = readRoutes().filter(({ app }) => services.some((service) => service === app));
    expect(served.map(({ method, path }) => [method, path, serviceOfPath(method, path)])).toEqual(
      served.map(({ method, path, app }) => [method, path, app]),
    );
  });

  it('leaves no route open but health, the demo sink and those with a webhook credential', () => {
    const open = readRoutes().flatMap(({ scopes, path }) => (scopes === null ? [path] : []));
    expect([...new Set(open)]).toEqual([
      '/api/docs',
      '/api/integrations/:platform',
      '/api/openapi.json',
      '/health/live',
      '/health/ready',
      '/prometheus/:token/api/v2/alerts',
      '/sink',
      '/v2/enqueue',
      '/webhook/:token/trigger',
    ]);
  });

  it('gives each variable one meaning and one default wherever it is read', () => {
    const names = [...readVariables().values()].flat().map(({ name, default: preset }) => `${name} ${preset}`);
    const shared = names.filter((name, at) => names.indexOf(name) !== at);
    expect(new Set(names.map((name) => name.split(' ')[0])).size).toBe(new Set(names).size);
    expect(shared).toEqual(['OUTBOUND_ALLOW empty']);
  });
});
