import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { defaultPortOf, hears, services, topicNames } from '@tocsin/contracts';
import { describe, expect, it } from 'vitest';
import { pageOf } from './pages.ts';
import { filesBelow, root } from './source.ts';

const guides = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...filesBelow('docs', '.md'),
  ...filesBelow('apps', 'README.md'),
];
const textOf = (path: string): string => readFileSync(join(root, path), 'utf8');
const found = (text: string, pattern: RegExp): string[] => [
  ...new Set([...text.matchAll(pattern)].map(([, name]) => name ?? '')),
];

describe.each(guides)('%s', (path) => {
  const text = textOf(path);

  it('links to files that are there', () => {
    const targets = found(text, /\]\((?!https?:)([^)#\s]+)/g);
    expect(targets.filter((target) => !existsSync(join(root, dirname(path), target)))).toEqual([]);
  });

  it('names npm scripts that are there', () => {
    const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };
    expect(found(text, /npm run ([\w:-]+)/g).filter((name) => !(name in scripts))).toEqual([]);
  });

  it('names variables that are read', () => {
    const known = pageOf('configuration.md');
    const named = found(
      text,
      /`((?:TOCSIN|TEST|DATABASE|KAFKA|TOPIC|OUTBOUND|INGRESS|RCA|CONFIGURATION)_[A-Z_]+)[`=]/g,
    );
    expect(named.filter((name) => !known.includes(`\`${name}\``))).toEqual([]);
  });
});

describe('README.md', () => {
  const text = textOf('README.md');

  it('starts each of the seven services, and says their ports', () => {
    for (const service of services) {
      expect(text).toContain(`APP=${service} npm start`);
      expect(text.replaceAll(/\s+/g, ' ')).toContain(`${defaultPortOf(service)} ${service}`);
    }
  });
});

describe('ARCHITECTURE.md', () => {
  const text = textOf('ARCHITECTURE.md');
  const rowOf = (name: string) =>
    text.split('\n').find((line) => line.replaceAll(/ +/g, ' ').startsWith(`| \`${name}\` |`)) ?? '';

  it('has at most 200 lines', () => expect(text.split('\n').length).toBeLessThanOrEqual(201));

  it('has a row for each topic', () => expect(topicNames.filter((topic) => rowOf(topic) === '')).toEqual([]));

  it('says of each service what it hears', () => {
    for (const service of services) {
      const heard = rowOf(service).split('|')[2] ?? '';
      expect([service, hears[service].filter((topic) => !heard.includes(topic))]).toEqual([service, []]);
    }
  });
});
