import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { nameOf, type AuditFinding, type Erased } from '@tocsin/domain/incident';
import { createPools } from '@tocsin/postgres';
import { audited, type AuditReport, type PublicKeys } from './audit-database.ts';
import { databaseUrl } from './database.ts';
import type { Terminal } from './terminal.ts';

/** The audit has found something: exit code 1. */
export class AuditFailed extends Error {}

/** `tocsin verify-audit`: recomputes every hash of the incident log, the order over it, and the signatures of its checkpoints. */
export async function verifyAudit(args: string[], terminal: Terminal): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { 'public-key': { type: 'string' }, json: { type: 'boolean', default: false } },
  });
  const keys = await publicKeysOf(values['public-key'], terminal);
  const connectionString = await databaseUrl(terminal);
  const pools = createPools({ connectionString, max: 2, applicationName: 'tocsin-cli' });
  let report: AuditReport;
  try {
    report = await audited(pools.pipeline, keys);
  } finally {
    await pools.close();
  }
  terminal.out(values.json ? `${JSON.stringify(report)}\n` : textOf(report));
  if (report.findings > 0) throw new AuditFailed(`the audit found ${report.findings} things that do not fit`);
}

/** The installation's own keys, or one public key (PEM) for whoever has no key ring. */
async function publicKeysOf(file: string | undefined, terminal: Terminal): Promise<PublicKeys> {
  if (file !== undefined) {
    const pem = (await terminal.read(file)).toString('utf8');
    return () => pem;
  }
  const ring = terminal.environment['TOCSIN_KEY_RING'] || (await localKeyRing(terminal));
  if (!ring) return undefined;
  const { createKeyRing } = await import('@tocsin/nest-shell/key-ring');
  const keys = createKeyRing(ring, '', () => Buffer.alloc(0));
  return (id) => keys.auditPublicKey(id);
}

async function localKeyRing({ environment }: Terminal): Promise<string | undefined> {
  try {
    const text = await readFile(join(environment['TOCSIN_DATA_DIR'] || '.tocsin', 'keys.json'), 'utf8');
    return (JSON.parse(text) as { keyRing?: string }).keyRing;
  } catch {
    return undefined; // no all-in-one has run here
  }
}

const lineOf = ({ code, at, detail }: AuditFinding): string => `  ${code}: ${at}: ${detail}\n`;

const erasedLine = ({ stream, version, at, actor, versions }: Erased): string =>
  `  ${stream} version${versions.length === 1 ? '' : 's'} ${versions.join(', ')}: by ${nameOf(actor)}, ${at} (version ${version})\n`;

function erasedText({ erased, erasures }: AuditReport): string {
  if (erased === 0) return '';
  const told = erasures.reduce((sum, { versions }) => sum + versions.length, 0);
  const more = erased > told ? `  … and ${erased - told} more\n` : '';
  return `${erased} content${erased === 1 ? ' was' : 's were'} erased:\n${erasures.map(erasedLine).join('')}${more}`;
}

function textOf(report: AuditReport): string {
  const { events, places, checkpoints, unverified, findings, shown } = report;
  const counted = `${events} events, ${places} places in the order, ${checkpoints} checkpoints`;
  const unsigned =
    unverified === 0
      ? ''
      : `${unverified} checkpoints were signed with a key that is not here (TOCSIN_KEY_RING, --public-key)\n`;
  const erased = erasedText(report);
  if (findings === 0) return `${counted}: everything fits\n${erased}${unsigned}`;
  const more = findings > shown.length ? `  … and ${findings - shown.length} more\n` : '';
  return `${counted}: ${findings} findings\n${shown.map(lineOf).join('')}${more}${erased}${unsigned}`;
}
