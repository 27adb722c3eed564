import { parseArgs } from 'node:util';
import { hears, isTopic, schemaOf, services, type ServiceName, type Topic, topics } from '@tocsin/contracts';
import { createPools, type Position, setPosition, showPositions } from '@tocsin/postgres';
import { databaseUrl } from './database.ts';
import { type Terminal, UsageError } from './terminal.ts';

type Database = ReturnType<typeof createPools>['pipeline'];

/** `tocsin positions show|set`: where the consumers stand, and the operator's way out of a halt. */
export async function positions(args: string[], terminal: Terminal): Promise<void> {
  const [verb = '', ...rest] = args;
  if (verb !== 'show' && verb !== 'set') throw new UsageError(`positions ${verb || '?'}: there is show and set`);
  const command = verb === 'show' ? show(rest) : set(rest);
  const pools = createPools({
    connectionString: await databaseUrl(terminal),
    max: 2,
    applicationName: 'tocsin-cli',
  });
  try {
    await command(pools.pipeline, terminal);
  } finally {
    await pools.close();
  }
}

type Command = (database: Database, terminal: Terminal) => Promise<void>;

function show(args: string[]): Command {
  const { values } = parseArgs({ args, options: { service: { type: 'string' } } });
  const wanted = values.service === undefined ? services : [serviceOf(values.service)];
  return async (database, terminal) => {
    const rows: string[][] = [];
    for (const service of wanted) {
      if (!(await keepsPositions(database, service))) continue;
      for (const position of await showPositions(database, schemaOf(service)))
        rows.push([service, ...cellsOf(position)]);
    }
    terminal.out(rows.length === 0 ? 'No positions are stored yet.\n' : table([HEAD, ...rows]));
  };
}

function set(args: string[]): Command {
  const { values } = parseArgs({
    args,
    options: {
      service: { type: 'string' },
      topic: { type: 'string' },
      partition: { type: 'string' },
      offset: { type: 'string' },
      'log-id': { type: 'string' },
    },
  });
  const service = serviceOf(values.service);
  const topic = topicOf(service, values.topic);
  const partition = Number(wholeNumber('partition', values.partition));
  if (partition >= topics[topic].partitions)
    throw new UsageError(`--partition: ${topic} has partitions 0 to ${topics[topic].partitions - 1}`);
  const next = BigInt(wholeNumber('offset', values.offset));
  return async (database, terminal) => {
    if (!(await keepsPositions(database, service)))
      throw new UsageError(`${service} keeps no positions in this database`);
    const schema = schemaOf(service);
    const known = (await showPositions(database, schema)).find(
      (one) => one.topic === topic && one.partition === partition,
    );
    const logId = values['log-id'] ?? known?.logId;
    if (logId === undefined)
      throw new UsageError(`${service} has no position in ${topic}/${partition} yet: say of which log with --log-id`);
    const position: Position = { group: known?.group ?? service, topic, partition, logId, next };
    await setPosition(database, schema, position);
    const before = known === undefined ? 'no position' : `${known.next} of log ${known.logId}`;
    terminal.out(
      `${service} ${topic}/${partition}: ${before} → ${next} of log ${logId}\nA consumer that has halted goes on from here once its service is restarted.\n`,
    );
  };
}

/** Stateless services have no schema, and a service that never ran here has none yet. */
async function keepsPositions(database: Database, service: ServiceName): Promise<boolean> {
  const { rows } = await database.query<{ exists: boolean }>('select to_regclass($1) is not null as exists', [
    `${schemaOf(service)}.consumer_positions`,
  ]);
  return rows[0]?.exists === true;
}

function serviceOf(text: string | undefined): ServiceName {
  const service = services.find((name) => name === text);
  if (!service) throw new UsageError(`--service: one of ${services.join(', ')}`);
  return service;
}

function topicOf(service: ServiceName, text = ''): Topic {
  if (isTopic(text) && hears[service].includes(text)) return text;
  throw new UsageError(`--topic: ${service} hears ${hears[service].join(', ') || 'nothing'}`);
}

/** Offsets are 64 bits wide in the database. */
const LARGEST = 2n ** 63n - 1n;

function wholeNumber(name: string, text = ''): string {
  if (!/^\d{1,19}$/.test(text) || BigInt(text) > LARGEST) throw new UsageError(`--${name}: a whole number from 0 on`);
  return text;
}

const HEAD = ['SERVICE', 'TOPIC', 'PARTITION', 'NEXT OFFSET', 'LOG ID'];
const cellsOf = ({ topic, partition, next, logId }: Position): string[] => [
  topic,
  String(partition),
  String(next),
  logId,
];

function table(rows: readonly (readonly string[])[]): string {
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return `${rows.map(line).join('\n')}\n`;
}
