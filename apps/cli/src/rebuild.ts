import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { isId } from '@tocsin/contracts';
import {
  rebuild as rebuildProjections,
  restoreFromTopic,
  type RebuildReport,
  type RestoreReport,
} from '@tocsin/incident-store/rebuild';
import { databaseUrl } from './database.ts';
import { openEventLog } from './event-log.ts';
import { type Terminal, UsageError } from './terminal.ts';

/** `rebuild --check` has found rows that are not what the log says: exit code 1. */
export class ProjectionsDiffer extends Error {}

/** `tocsin rebuild`: makes the projections of incidents anew out of the event log, while writes go on. */
export async function rebuild(args: string[], terminal: Terminal): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      workspace: { type: 'string' },
      check: { type: 'boolean', default: false },
      'from-topic': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  const { workspace, check, json } = values;
  if (workspace !== undefined && !isId('ws', workspace)) throw new UsageError('--workspace: an id such as ws_…');
  if (values['from-topic']) {
    if (workspace !== undefined || check) throw new UsageError('--from-topic goes with --json only');
    return fromTopic(terminal, json);
  }
  const report = await rebuildProjections({
    connectionString: await databaseUrl(terminal),
    ...(workspace === undefined ? {} : { workspaceId: workspace }),
    checkOnly: check,
    say: (line) => terminal.err(`${line}\n`),
  });
  terminal.out(json ? `${JSON.stringify(report)}\n` : textOf(report, check));
  if (!report.equal) throw new ProjectionsDiffer(`${report.differed} incidents are not what their events say`);
}

/** `tocsin rebuild --from-topic`: the log and its projections out of `incident.events`, in an empty database. */
async function fromTopic(terminal: Terminal, json: boolean): Promise<void> {
  const connectionString = await databaseUrl(terminal);
  const eventLog = await openEventLog(terminal);
  let report: RestoreReport;
  try {
    const group = `tocsin-restore-${randomBytes(6).toString('hex')}`;
    report = await restoreFromTopic({ connectionString, eventLog, group, say: (line) => terminal.err(`${line}\n`) });
  } finally {
    await eventLog.close();
  }
  const { incomplete, strange } = report;
  const left =
    incomplete === 0 ? '' : `${count(incomplete, 'incident')} left out: the topic has their first events no more\n`;
  const odd = strange === 0 ? '' : `${count(strange, 'erased content')} cannot be vouched for\n`;
  terminal.out(json ? `${JSON.stringify(report)}\n` : `${textOf(report, false)}${left}${odd}`);
  if (!report.equal) throw new ProjectionsDiffer(`${report.differed} incidents are not what their events say`);
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;

function textOf(report: RebuildReport, checkOnly: boolean): string {
  const { incidents, events, seconds, rows, differed, replaced, shown } = report;
  const rate = seconds > 0 ? Math.round(events / seconds) : 0;
  const tables = Object.entries(rows).map(([name, number]) => `${name} ${number}`);
  const found = checkOnly
    ? `${count(differed, 'incident')} differed\n`
    : `${count(differed, 'incident')} differed, ${replaced} replaced\n`;
  return [
    `${count(events, 'event')} of ${count(incidents, 'incident')} in ${seconds.toFixed(1)} s (${rate} events/s)\n`,
    `rows: ${tables.join(', ')}\n`,
    ...(differed === 0 ? [] : [found, ...shown.map((id) => `  ${id}\n`)]),
    ...(differed > shown.length ? [`  … and ${differed - shown.length} more\n`] : []),
    `live    ${report.live_hash}\nrebuilt ${report.rebuilt_hash}\nequal: ${report.equal}\n`,
  ].join('');
}
