import { setImmediate as breathe } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { connectorOf, type PastReceipt, type Reader, readerOf } from '@tocsin/connectors';
import type { NormalizedAlert } from '@tocsin/contracts';
import {
  compare,
  comparisonView,
  configurationOf,
  type ReplayedCommand,
  Simulation,
  type WorkspaceDocuments,
} from '@tocsin/domain/replay';
import { createPools } from '@tocsin/postgres';
import { readConfiguration, withFile } from '../configuration-file.ts';
import { databaseUrl } from '../database.ts';
import { type Terminal, UsageError } from '../terminal.ts';
import { keptReceipts, readPast, type Past, type Receipts } from './past.ts';
import { loggedReceipts, openReplayLog } from './logged-receipts.ts';
import { replayText } from './replay-text.ts';
import { spanOf, type Span } from './span.ts';

/** `tocsin replay`: stored receipts through both decisions in memory, under the configuration as it is and under a proposed one. */
export async function replay(args: string[], terminal: Terminal): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      ...{ config: { type: 'string' }, from: { type: 'string', default: '24h' }, to: { type: 'string' } },
      ...{ workspace: { type: 'string' }, source: { type: 'string' }, json: { type: 'boolean', default: false } },
    },
  });
  if (values.config === undefined) throw new UsageError('--config: the proposed configuration, a YAML or JSON file');
  const file = await readConfiguration(values.config, terminal);
  const span = spanOf(values.from, values.to, terminal.now());
  const past = await pastOf(terminal, { workspace: values.workspace, source: sourceOf(values.source, terminal), span });
  const proposed = withFile(past.documents, file, values.config);
  const [before, after] = await replayed(past, proposed);
  const comparison = compare(before, after);
  const { receipts, skipped, commands } = past;
  const about = {
    ...{ workspace_id: past.workspaceId, from: span.from.toISOString(), to: span.to.toISOString() },
    ...{ source: past.source, receipts: { read: receipts.length, skipped }, commands: commands.length },
  };
  const shown = { ...about, ...comparisonView(comparison, Infinity) };
  terminal.out(values.json ? `${JSON.stringify(shown)}\n` : replayText(shown, values.config));
}

type SourceName = 'log' | 'payloads';

/** The log has everything for a week, byte for byte; without one that several processes may read, the delivery log's payloads serve. */
function sourceOf(given: string | undefined, { environment }: Terminal): SourceName {
  const hasLog = Boolean(environment['KAFKA_BROKERS']);
  if (given === undefined) return hasLog ? 'log' : 'payloads';
  if (given !== 'log' && given !== 'payloads') throw new UsageError('--source: log or payloads');
  if (given === 'log' && !hasLog) throw new UsageError('--source log: KAFKA_BROKERS names no brokers');
  return given;
}

interface Wanted {
  workspace: string | undefined;
  source: SourceName;
  span: Span;
}

async function pastOf(
  terminal: Terminal,
  { workspace, source, span }: Wanted,
): Promise<Past & Receipts & { source: SourceName }> {
  const pools = createPools({ connectionString: await databaseUrl(terminal), max: 1, applicationName: 'tocsin-cli' });
  try {
    const past = await readPast(pools.pipeline, workspace, span);
    if (source === 'payloads')
      return { ...past, ...(await keptReceipts(pools.pipeline, past.workspaceId, span)), source };
    const log = await openReplayLog(terminal.environment);
    try {
      return { ...past, ...(await loggedReceipts(log, past.workspaceId, span)), source };
    } finally {
      await log.close();
    }
  } finally {
    await pools.close();
  }
}

/** Alerts as the webhooks read them, and what people did, in the order of their times; the alerts of a receipt stay together. */
async function replayed(past: Past & Receipts, proposed: WorkspaceDocuments): Promise<[Simulation, Simulation]> {
  const now = new Simulation(configurationOf(past.documents));
  const then = new Simulation(configurationOf(proposed));
  const read = [readersOf(past.documents), readersOf(proposed)] as const;
  const steps: (PastReceipt | ReplayedCommand)[] = [...past.receipts, ...past.commands];
  steps.sort((a, b) => (timeOf(a) < timeOf(b) ? -1 : timeOf(a) > timeOf(b) ? 1 : 0));
  for (const [index, step] of steps.entries()) {
    if (index % 200 === 0) await breathe();
    if ('openingAlertId' in step) {
      now.command(step);
      then.command(step);
      continue;
    }
    for (const alert of read[0](step)) now.alert(alert);
    for (const alert of read[1](step)) then.alert(alert);
  }
  return [now, then];
}

const timeOf = (step: PastReceipt | ReplayedCommand): string => ('at' in step ? step.at : step.receivedAt);

/** A mapping is part of what may be proposed: each side reads for itself. */
function readersOf({ webhooks }: WorkspaceDocuments): (receipt: PastReceipt) => NormalizedAlert[] {
  const readers = new Map<string, Reader>();
  for (const { id, revision, body } of webhooks) {
    const connector = connectorOf(body.connector);
    if (connector && body.mode !== 'capture') readers.set(id, readerOf(connector, body, { revision }));
  }
  return (receipt) => readers.get(receipt.webhookId)?.read(receipt) ?? [];
}
