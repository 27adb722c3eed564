import { parseArgs } from 'node:util';
import { hears, isTopic, schemaOf, services, type ServiceName, type Topic, topics } from '@tocsin/contracts';
import { createPools, type Position, setPosition, showPositions } from '@tocsin/postgres';
import { databaseUrl } from './database.ts';
import { type Terminal, UsageError } from './terminal.ts';

type Database = ReturnType<typeof createPools>['pipeline'];

const verbs: Readonly<Record<string, (args: string[]) => Command>> = { show, set, adopt };

/** `tocsin positions show|set|adopt`: where the consumers stand, and the operator's way out of a halt. */
export async function positions(args: string[], terminal: Terminal): Promise<void> {
  const [verb = '', ...rest] = args;
  const make = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
  if (!make) throw new UsageError(`positions ${verb || '?'}: there is ${Object.keys(verbs).join(', ')}`);
  const command = make(rest);
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
    const rows = (await stored(database, wanted)).map(({ service, ...position }) => [service, ...cellsOf(position)]);
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
    terminal.out(`${service} ${topic}/${partition}: ${before} → ${next} of log ${logId}\n${RESTART}`);
  };
}

/**
 * After a lost log: every position goes on in the new one. A new journal begins above the greatest position that any service had
 * stored, so that is where all of them go on; a new Kafka cluster begins at 0.
 */
function adopt(args: string[]): Command {
  const { values } = parseArgs({ args, options: { 'log-id': { type: 'string' }, offset: { type: 'string' } } });
  const logId = values['log-id'];
  if (!logId) throw new UsageError('--log-id: the id of the new log, as the halted service names it');
  const given = values.offset === undefined ? undefined : BigInt(wholeNumber('offset', values.offset));
  return async (database, terminal) => {
    const old = (await stored(database, services)).filter((position) => position.logId !== logId);
    const greatest = Map.groupBy(old, placeOf);
    for (const { service, ...position } of old) {
      const offsets = (greatest.get(placeOf(position)) ?? []).map(({ next }) => next);
      const next = given ?? offsets.reduce((most, one) => (one > most ? one : most), 0n);
      await setPosition(database, schemaOf(service), { ...position, logId, next });
    }
    terminal.out(`${old.length} positions go on in log ${logId}\n${RESTART}`);
  };
}

const RESTART = 'A consumer that has halted goes on from here once its service is restarted.\n';
const placeOf = ({ topic, partition }: Pick<Position, 'topic' | 'partition'>): string => `${topic}/${partition}`;

async function stored(database: Database, wanted: readonly ServiceName[]) {
  const found: (Position & { service: ServiceName })[] = [];
  for (const service of wanted) {
    if (!(await keepsPositions(database, service))) continue;
    for (const position of await showPositions(database, schemaOf(service))) found.push({ ...position, service });
  }
  return found;
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
