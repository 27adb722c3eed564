import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('./verify-signatures.py', import.meta.url));
/** The release of the package that receivers in Python use; installed once into a folder of its own. */
const PACKAGE = 'standardwebhooks==1.1.0';
const INSTALL_MS = 90_000;

export interface Delivered {
  headers: Record<string, string>;
  body: string;
}

export const hasPython = (): boolean => spawnSync('python3', ['--version']).status === 0;

/** Whether an interpreter can import the package. */
const imports = (python: string): boolean => spawnSync(python, ['-c', 'import standardwebhooks']).status === 0;

/** Whether the system's interpreter has the package `cryptography`. */
export const hasCryptography = (): boolean => spawnSync('python3', ['-c', 'import cryptography']).status === 0;

/** An interpreter with the package, or why there is none. */
export function pythonWithStandardWebhooks(): { python: string } | { missing: string } {
  if (!hasPython()) return { missing: 'python3 is not installed' };
  if (imports('python3')) return { python: 'python3' };
  const folder = join(tmpdir(), `tocsin-${PACKAGE.replace('==', '-')}`);
  const python = join(folder, 'bin', 'python');
  if (existsSync(python) && imports(python)) return { python };
  const made = spawnSync('python3', ['-m', 'venv', folder], { timeout: INSTALL_MS });
  const installed =
    made.status === 0 &&
    spawnSync(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', PACKAGE], {
      timeout: INSTALL_MS,
    }).status === 0;
  return installed && imports(python) ? { python } : { missing: `${PACKAGE} cannot be installed here` };
}

/** What a receiver in Python says of each delivery. */
export function verdictsOf(
  python: string,
  method: 'hmac' | 'standardwebhooks' | 'ed25519' | 'cryptography',
  secret: string,
  deliveries: readonly Delivered[],
): string[] {
  const { status, stdout, stderr } = spawnSync(python, [SCRIPT], {
    input: JSON.stringify({ method, secret, deliveries }),
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return stdout.trim().split('\n');
}
