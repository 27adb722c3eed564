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
});
