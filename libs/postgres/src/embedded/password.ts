import { randomBytes } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The server's password: generated once, mode 0600, beside the data it opens. */
export async function passwordOf(directory: string): Promise<string> {
  const path = join(directory, 'postgres-password');
  try {
    const file = await open(path, 'wx', 0o600);
    await file.writeFile(randomBytes(24).toString('base64url'));
    await file.sync();
    await file.close();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return (await readFile(path, 'utf8')).trim();
}
