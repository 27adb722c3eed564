import { ApiAccessError, DatabaseUrlError } from './config.ts';
import { dlq } from './dead-letters.ts';
import { erase } from './erase.ts';
import { normalize } from './normalize.ts';
import { positions } from './positions.ts';
import { rebuild } from './rebuild.ts';
import { replay } from './replay/replay.ts';
import { rules } from './rules/rules.ts';
import { type Terminal, UsageError } from './terminal.ts';
import { verifyAudit } from './verify-audit.ts';

export const EXIT = { ok: 0, failed: 1, usage: 2, configuration: 78 } as const;

const commands: Readonly<Record<string, (args: string[], terminal: Terminal) => Promise<void>>> = {
  dlq,
  erase,
  normalize,
  positions,
  rebuild,
  replay,
  rules,
  'verify-audit': verifyAudit,
};

export const USAGE = `Usage: npx --no tocsin <command>

  positions show [--service S]
      Where each consumer stands, per service, topic and partition.

  positions set --service S --topic T --partition P --offset O [--log-id L]
      Moves one consumer: the way out of a halt. Without --log-id the stored log id stays.

  positions adopt --log-id L [--offset O]
      After a lost log: moves every consumer to the new one, to the greatest stored offset of its partition or to O.

  normalize --connector ID [--headers FILE.json] [--query STRING] [--mapping FILE.json] PAYLOAD
      Prints what a connector makes of a payload (a file, or - for standard input), with the mapping of a webhook where one
      is given. Offline; no authentication.

  dlq list [--service S] [--topic T] [--reason R] [--webhook ID] [--status open|redriven] [--from T] [--to T] [--limit N] [--json]
      Dead letters of the workspace, newest first.

  dlq show [--json] ID
      One dead letter with its original bytes.

  dlq redrive [--json] ID … | [--service S] [--topic T] [--reason R] [--webhook ID] [--from T] [--to T] [--limit N]
      Puts records back where they were read, each once.

  dlq list|show --database
      Dead letters that say no workspace; for whoever runs the installation.

  erase [--version N …] [--note TEXT] [--json] INCIDENT
      Takes texts out of the events of a closed incident (a comment: at any time), for good, and out of everything that is kept of
      them. The chain of its events stays whole; who did it is one of them.

  rebuild [--workspace ID] [--check] [--json]
      Builds what people read of incidents anew out of the event log, beside the live rows and while writes go on; compares row for
      row and replaces what differs. A run that was killed is gone on with. --check only compares (exit code 1 where something differs).

  rules test [--config FILE] [--json] PATH …
      Alerts of fixture files through deduplication, rules and incidents, offline. Exit code 1 where an incident is not what a
      fixture expects. FILE (YAML or JSON) goes before the configuration of the fixtures.

  replay --config FILE [--from T] [--to T] [--workspace W] [--source log|payloads] [--json]
      Stored receipts, in memory, under the configuration as it is and with FILE over it: which incidents would split, join, appear
      or vanish, and what decides. T is an instant, or 90m, 24h, 7d ago (default: the last 24 h). Writes nothing.

  rebuild --from-topic [--json]
      Makes the log of incidents and their projections anew in an empty database, out of the topic incident.events: of KAFKA_BROKERS
      (with TOPIC_PREFIX), else of the journal of the all-in-one that ran here.

  verify-audit [--public-key FILE.pem] [--json]
      Recomputes every hash of the incident log, the order over it and the signatures of its checkpoints. Exit code 1 where anything
      was edited, deleted, inserted, moved, swapped or cut.

dlq and erase call TOCSIN_URL (default http://127.0.0.1:8080) with TOCSIN_API_KEY (scope admin).
positions, replay, rebuild, verify-audit and --database work on DATABASE_URL, else on the database of the all-in-one that runs here.

Exit codes: 0 done, 1 failed, 2 wrong usage, 78 bad environment variable.
`;

/** Runs one command line. @returns the exit code of the process */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const [name = '', ...rest] = args;
  if (name === 'help' || name === '--help' || name === '-h') {
    terminal.out(USAGE);
    return EXIT.ok;
  }
  try {
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (!command) throw new UsageError(name === '' ? 'a command is needed' : `there is no command '${name}'`);
    await command(rest, terminal);
    return EXIT.ok;
  } catch (error) {
    return report(error, terminal);
  }
}

function report(error: unknown, terminal: Terminal): number {
  const message = error instanceof Error ? error.message || error.constructor.name : String(error);
  // parseArgs says what it did not like with codes of its own.
  const { code = '' } = error as { code?: string };
  const misused = error instanceof UsageError || code.startsWith('ERR_PARSE_ARGS');
  terminal.err(`tocsin: ${message}\n${misused ? `\n${USAGE}` : ''}`);
  if (misused) return EXIT.usage;
  return error instanceof DatabaseUrlError || error instanceof ApiAccessError ? EXIT.configuration : EXIT.failed;
}
