import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { kafkaTestConfig } from './config.ts';

const run = promisify(execFile);
const ROOT = resolve(import.meta.dirname, '../../../..');
const POM = join(ROOT, 'tools/kafka/pom.xml');
const VERSION = '4.2.1';
const JAVA_MIN = 17;
/** Broker jars, the formatted template and the data of test brokers; not under version control. */
export const CACHE = join(ROOT, '.cache/kafka');

/** The java command, or undefined where there is none that is new enough. */
export async function findJava(): Promise<string | undefined> {
  const { javaHome } = kafkaTestConfig();
  for (const java of [...(javaHome ? [join(javaHome, 'bin/java')] : []), 'java']) {
    try {
      const { stderr, stdout } = await run(java, ['-version']);
      const major = /version "(\d+)/.exec(stderr + stdout)?.[1];
      if (Number(major) >= JAVA_MIN) return java;
    } catch {
      // Not there: the next candidate, or none.
    }
  }
  return undefined;
}

/** The directory with the broker's jars; downloads them once (46 jars, 45 MB) with Maven. */
export async function brokerJars(): Promise<string> {
  const directory = join(CACHE, `jars-${VERSION}`);
  if (existsSync(directory) && (await readdir(directory)).some((file) => file.startsWith('kafka_2.13-')))
    return directory;
  await mkdir(CACHE, { recursive: true });
  const temporary = `${directory}.${process.pid}.part`;
  try {
    await run('mvn', [
      '-B',
      '-q',
      '-f',
      POM,
      'dependency:copy-dependencies',
      `-DoutputDirectory=${temporary}`,
      '-DincludeScope=runtime',
    ]);
    await rename(temporary, directory).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error; // another process was faster: its jars are as good
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return directory;
}

/** True when Maven can be asked for the jars, or has been. */
export async function hasJars(): Promise<boolean> {
  if (existsSync(join(CACHE, `jars-${VERSION}`))) return true;
  try {
    await run('mvn', ['-version']);
    return true;
  } catch {
    return false;
  }
}
