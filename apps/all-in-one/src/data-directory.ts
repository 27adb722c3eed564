import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { base32 } from '@tocsin/contracts';
import type { DemoCredentials } from '@tocsin/control-plane';

/** Secrets of this installation, made once and kept beside its data (settled, Secrets of the installation). */
export interface InstallationKeys {
  keyRing: string;
  pepper: string;
}

function writePrivate(file: string, value: unknown): void {
  writeFileSync(`${file}.new`, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

function once<T>(file: string, make: () => T): T {
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as T;
  const value = make();
  writePrivate(file, value);
  return value;
}

/** The folder that holds everything of this installation: database, log, keys, demo credentials, configuration snapshot. */
export class DataDirectory {
  constructor(readonly path: string) {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  }

  readonly of = (name: string): string => join(this.path, name);

  keys(): InstallationKeys {
    return once(this.of('keys.json'), () => ({
      keyRing: `k1:${randomBytes(32).toString('base64')}`,
      pepper: base32(randomBytes(32)),
    }));
  }

  /** Credentials of the demo workspace: the one exception to "shown once", because each start prints them again. */
  demo(make: () => DemoCredentials): DemoCredentials {
    return once(this.of('demo.json'), make);
  }

  /** Says which process serves this folder, so that others (and people) find it. */
  announce(run: { pid: number; url: string; startedAt: string }): void {
    writePrivate(this.of('run.json'), run);
  }

  leave(): void {
    rmSync(this.of('run.json'), { force: true });
  }
}
