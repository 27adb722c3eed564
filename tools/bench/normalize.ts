import { readdirSync, readFileSync } from 'node:fs';
import { type Connector, connectors, type NormalizeContext, type Payload } from '@tocsin/connectors';
import { figure, hardware, median } from './statistics.ts';

export interface NormalizeOptions {
  runs: number;
  seconds: number;
  say(line: string): void;
}

/** V8 goes on compiling 38 connectors for some seconds, on threads whose time counts: a service that has just begun is not what is asked. */
const WARM_UP_SECONDS = 10;

interface Work {
  connector: Connector;
  payload: Payload;
  alerts: number;
}

const context: NormalizeContext = {
  receiptId: 'rcv_aaaaaaaaaaaaaaaaaaaaaaaaaa',
  workspaceId: 'ws_aaaaaaaaaaaaaaaaaaaaaaaaaa',
  webhookId: 'whk_aaaaaaaaaaaaaaaaaaaaaaaaaa',
  receivedAt: '2026-11-21T09:00:00.000Z',
  configRevision: 1,
  defaultSeverity: 'medium',
  severityProfile: 'tocsin',
  notes: [],
};

interface Request {
  content_type?: string | null;
  headers?: Record<string, string>;
  query?: string;
}

/** The samples of a connector that become alerts; those that are ignored or refused cost less and would flatter the figure. */
function workOf(connector: Connector): Work[] {
  const folder = new URL(`../../libs/connectors/src/${connector.source.id}/samples/`, import.meta.url);
  const files = readdirSync(folder);
  return files
    .filter((file) => !/\.(?:expected|request)\.json$/.test(file))
    .flatMap((file) => {
      const beside = `${file.replace(/\.\w+$/, '')}.request.json`;
      const request = files.includes(beside)
        ? (JSON.parse(readFileSync(new URL(beside, folder), 'utf8')) as Request)
        : {};
      const { content_type: contentType = 'application/json', headers = {}, query = '' } = request;
      const payload: Payload = { bytes: readFileSync(new URL(file, folder)), contentType, headers, query };
      const result = connector.normalize(payload, context);
      return result.kind === 'alerts' ? [{ connector, payload, alerts: result.alerts.length }] : [];
    });
}

/** Alerts for each second of processor time, so that another process on the machine does not count. */
function alertsPerCoreSecond(work: readonly Work[], seconds: number): number {
  const before = process.cpuUsage();
  const until = performance.now() + seconds * 1_000;
  let alerts = 0;
  while (performance.now() < until) {
    for (const one of work) {
      one.connector.normalize(one.payload, context);
      alerts += one.alerts;
    }
  }
  const { user, system } = process.cpuUsage(before);
  return (alerts * 1_000_000) / (user + system);
}

/** From raw bytes to normalised alerts, over the mix of all samples and over those of the generic connector. */
export function benchNormalize({ runs, seconds, say }: NormalizeOptions): Promise<Record<string, number>> {
  const all = connectors.flatMap(workOf);
  const generic = all.filter(({ connector }) => connector.source.id === 'generic');
  const bytes = all.reduce((sum, { payload }) => sum + payload.bytes.length, 0) / all.length;
  say(hardware('no PostgreSQL', 'no Kafka'));
  say(`${connectors.length} connectors, ${all.length} samples of ${bytes.toFixed(0)} bytes on average; one thread`);
  const slice = Math.max(0.5, seconds / 5);
  const mix: number[] = [];
  const plain: number[] = [];
  alertsPerCoreSecond(all, WARM_UP_SECONDS);
  alertsPerCoreSecond(generic, slice);
  for (let run = 0; run < runs; run += 1) {
    mix.push(alertsPerCoreSecond(all, slice));
    plain.push(alertsPerCoreSecond(generic, slice));
  }
  say(figure('alerts, mix of all samples', mix, '/s/core'));
  say(figure('alerts, generic', plain, '/s/core'));
  return Promise.resolve({
    alerts_per_second_per_core: median(mix),
    generic_alerts_per_second_per_core: median(plain),
  });
}
