import { createHash } from 'node:crypto';
import { access, chmod, chown, constants, lstat, mkdir, realpath, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reaches, serverAccount, type Account } from './account.ts';
import { copyInstallation, findInstallation, type Installation } from './binaries.ts';

/** Where one server lives, and as whom. */
export interface Place {
  /** The folder the caller named; passwords and the log are here. */
  directory: string;
  installation: Installation;
  account: Account | undefined;
  /** Folder that holds `data`; the account may write here. */
  home: string;
  data: string;
}

const writable = (folder: string): Promise<boolean> =>
  access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );

/** A folder outside of the caller's home, named by hash, that any account can pass through. */
async function sharedRoot(): Promise<string> {
  const root = join((await writable('/var/lib')) ? '/var/lib' : tmpdir(), 'tocsin');
  await mkdir(root, { recursive: true, mode: 0o755 });
  await chmod(root, 0o755);
  return root;
}

async function ownedFolder(path: string, account: Account | undefined): Promise<string> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  if (account) await chown(path, account.uid, account.gid);
  return path;
}

async function homeOf(directory: string, account: Account | undefined): Promise<string> {
  const pointer = join(directory, 'server');
  const existing = await lstat(pointer).catch(() => undefined);
  if (existing?.isSymbolicLink()) {
    const home = await realpath(pointer).catch(() => undefined); // the target may have been cleaned away
    if (home && (!account || (await reaches(account, home)))) return home;
  }
  if (!account || (await reaches(account, directory))) return ownedFolder(pointer, account);
  const name = createHash('sha256').update(directory).digest('hex').slice(0, 16);
  const home = await ownedFolder(join(await sharedRoot(), name), account);
  await symlink(home, pointer).catch(() => undefined);
  return home;
}

/**
 * Chooses account, binaries and data folder. Without root: everything under `directory`. As root: an unprivileged account;
 * what it cannot reach (a checkout under a 0700 home) lies in a folder that it can, with the link `server` pointing there.
 */
export async function choosePlace(given: string): Promise<Place> {
  await mkdir(given, { recursive: true });
  const directory = await realpath(given);
  const account = await serverAccount();
  const original = await findInstallation();
  const reachable = !account || (await reaches(account, join(original, 'bin')));
  const installation = reachable ? original : await copyInstallation(original, await sharedRoot());
  const home = await homeOf(directory, account);
  return { directory, installation, account, home, data: join(home, 'data') };
}
