import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { ConfigurationFile } from '@tocsin/domain/replay';
import { configurationIn, readConfiguration, readDocument } from '../configuration-file.ts';
import { type Terminal, UsageError } from '../terminal.ts';
import { fixtureIn } from './fixture.ts';
import { type Difference, judge } from './judge.ts';
import { play } from './run-fixture.ts';

/** Fixtures came out otherwise than they expect: exit code 1. */
export class FixturesDiffer extends Error {}

interface Result {
  file: string;
  name: string;
  ok: boolean;
  differences: Difference[];
}

/** `tocsin rules test`: alerts of fixture files through both decisions in memory, and the incidents that they should become. Offline. */
export async function rules([action, ...args]: string[], terminal: Terminal): Promise<void> {
  if (action !== 'test') throw new UsageError('rules: there is test');
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { config: { type: 'string' }, json: { type: 'boolean', default: false } },
  });
  const files = (await Promise.all(positionals.map(fixturesIn))).flat();
  if (files.length === 0)
    throw new UsageError('rules test: fixture files, or directories with some (.yaml, .yml, .json)');
  const config = values.config === undefined ? undefined : await readConfiguration(values.config, terminal);
  const results: Result[] = [];
  for (const file of files) results.push(await tested(file, config, terminal));
  const failed = results.filter(({ ok }) => !ok);
  if (values.json) terminal.out(`${JSON.stringify({ fixtures: results.length, failed: failed.length, results })}\n`);
  else terminal.out(results.map(textOf).join(''));
  if (failed.length > 0) throw new FixturesDiffer(`${failed.length} of ${results.length} fixtures came out otherwise`);
}

const FIXTURE = /\.(?:ya?ml|json)$/;

/** A file, or every fixture below a directory, in the order of their names. */
async function fixturesIn(path: string): Promise<string[]> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isDirectory()) return [path]; // what is not there is said when it is read
  const entries = await readdir(path, { recursive: true });
  return entries
    .filter((name) => FIXTURE.test(name))
    .sort()
    .map((name) => join(path, name));
}

async function tested(file: string, config: ConfigurationFile | undefined, terminal: Terminal): Promise<Result> {
  const fixture = fixtureIn(await readDocument(file, terminal), file);
  const own = fixture.configuration === undefined ? {} : configurationIn(fixture.configuration, file);
  const differences = judge(fixture, play(fixture, config ?? own, file), file);
  return { file, name: fixture.name ?? file, ok: differences.length === 0, differences };
}

const textOf = ({ file, name, ok, differences }: Result): string =>
  [
    `${ok ? 'ok  ' : 'FAIL'}  ${name === file ? file : `${name} (${file})`}`,
    ...differences.map(({ message }) => `        ${message}`),
    '',
  ].join('\n');
