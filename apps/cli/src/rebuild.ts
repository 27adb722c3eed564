import { parseArgs } from 'node:util';
import { isId } from '@tocsin/contracts';
import { rebuild as rebuildProjections, type RebuildReport } from '@tocsin/incident-store/rebuild';
import { databaseUrl } from './database.ts';
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
      json: { type: 'boolean', default: false },
    },
  });
  const { workspace, check, json } = values;
  if (workspace !== undefined && !isId('ws', workspace)) throw new UsageError('--workspace: an id such as ws_…');
  const report = await rebuildProjections({
    connectionString: await databaseUrl(terminal),
    ...(workspace === undefined ? {} : { workspaceId: workspace }),
    checkOnly: check,
    say: (line) => terminal.err(`${line}\n`),
  });
  terminal.out(json ? `${JSON.stringify(report)}\n` : textOf(report, check));
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
