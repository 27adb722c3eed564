import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const files = execFileSync('git', ['ls-files', 'libs/*.ts', 'apps/*.ts', 'tools/*.ts'], { cwd: root, encoding: 'utf8' })
  .split('\n')
  .filter((file) => file && existsSync(join(root, file)));

/** Relative imports of a file that exist at run time (`import type` leaves nothing behind). */
function importsOf(file: string): string[] {
  const source = ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.Latest);
  return source.statements.flatMap((statement) => {
    if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) return [];
    const specifier = statement.moduleSpecifier;
    if (!specifier || !ts.isStringLiteral(specifier) || !specifier.text.startsWith('.')) return [];
    const typeOnly = ts.isExportDeclaration(statement)
      ? statement.isTypeOnly
      : statement.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
    return typeOnly ? [] : [join(dirname(file), specifier.text)];
  });
}

/** First cycle found by depth-first search, as the files along it. */
function cycleIn(graph: ReadonlyMap<string, string[]>): string[] | undefined {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): string[] | undefined => {
    const at = path.indexOf(file);
    if (at >= 0) return [...path.slice(at), file];
    if (done.has(file)) return undefined;
    path.push(file);
    for (const next of graph.get(file) ?? []) {
      const cycle = visit(next);
      if (cycle) return cycle;
    }
    path.pop();
    done.add(file);
    return undefined;
  };
  for (const file of graph.keys()) {
    const cycle = visit(file);
    if (cycle) return cycle;
  }
  return undefined;
}

describe('imports', () => {
  it('are read from a tree worth the name', () => expect(files.length).toBeGreaterThan(200));

  it('form no cycle between files', () => {
    expect(cycleIn(new Map(files.map((file) => [file, importsOf(file)])))).toBeUndefined();
  });

  it('that form a cycle are found', () => {
    expect(
      cycleIn(
        new Map([
          ['a', ['b']],
          ['b', ['c']],
          ['c', ['b']],
        ]),
      ),
    ).toEqual(['b', 'c', 'b']);
  });

  it('that break a rule of the table fail the lint', async () => {
    const { ESLint } = await import('eslint');
    const eslint = new ESLint({ cwd: root });
    const configOf = async (file: string) =>
      (
        (await eslint.calculateConfigForFile(join(root, file))) as {
          rules: Record<string, [unknown, { patterns: { group: string[] }[] }]>;
        }
      ).rules['no-restricted-imports'];
    const groups = async (file: string) => (await configOf(file))?.[1].patterns.flatMap(({ group }) => group) ?? [];
    expect(await groups('libs/domain/src/incident/index.ts')).toEqual(
      expect.arrayContaining(['@nestjs/*', 'pg', 'kafkajs', '@tocsin/postgres']),
    );
    expect(await groups('libs/event-log/src/journal/index.ts')).toEqual(
      expect.arrayContaining(['@nestjs/*', '@tocsin/incident-store']),
    );
    expect(await groups('apps/incident-store/src/index.ts')).toEqual(
      expect.arrayContaining(['kafkajs', '@tocsin/dedup-correlator', '@tocsin/testing']),
    );
  });

  it('that open connections past the guard fail the lint, wherever they are written', { timeout: 60_000 }, async () => {
    const { ESLint } = await import('eslint');
    const eslint = new ESLint({
      cwd: root,
      overrideConfig: { languageOptions: { parserOptions: { project: null } } },
      ruleFilter: ({ ruleId }) => ruleId.includes('no-restricted-'),
    });
    const ways = [
      `import { request } from 'node:http';\nrequest('http://example.org');`,
      `import https from 'node:https';\nhttps.get('https://example.org');`,
      `import * as net from 'net';\nnet.connect(80);`,
      `import { connect } from 'node:tls';\nconnect({});`,
      `import { Agent } from 'undici';\nnew Agent();`,
      `import mail from 'nodemailer';\nmail.createTransport();`,
      `await fetch('https://example.org');`,
      `await globalThis.fetch('https://example.org');`,
      `const { request } = await import('undici');\nawait request('https://example.org');`,
    ];
    const complaints = async (file: string, text: string) => {
      const [result] = await eslint.lintText(text, { filePath: join(root, file) });
      return result?.messages.filter(({ message }) => message.includes('only @tocsin/egress')).length;
    };
    for (const text of ways) {
      expect(await complaints('apps/rca-trigger/src/index.ts', text), text).toBeGreaterThan(0);
      expect(await complaints('libs/nest-shell/src/index.ts', text), text).toBeGreaterThan(0);
      expect(await complaints('apps/rca-trigger/src/config.ts', text), text).toBeGreaterThan(0);
    }
    for (const text of ways.filter((one) => !one.includes('import(')))
      expect(await complaints('libs/egress/src/http-sender.ts', text), text).toBe(0);
    const harmless = `import { isIP } from 'node:net';\nimport { createServer } from 'node:http';\nimport type { Agent } from 'undici';`;
    expect(await complaints('apps/rca-trigger/src/index.ts', harmless)).toBe(0);
  });
});
