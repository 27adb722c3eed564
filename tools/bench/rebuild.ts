import { randomBytes } from 'node:crypto';
import { mintId } from '@tocsin/contracts';
import { incidentStore } from '@tocsin/incident-store';
import { rebuild, type RebuildReport } from '@tocsin/incident-store/rebuild';
import { testDatabase } from '@tocsin/testing';
import pg from 'pg';
import type { BenchOptions } from './incidents.ts';
import { nameOf, startServer } from './server.ts';
import { INCIDENTS, writeStreams } from './stream-rows.ts';
import { figure, hardware, median } from './statistics.ts';

/** Projections out of the log: compared with the live ones, and made anew after they were dropped. Keys: settled, Benchmarks. */
export async function benchRebuild({ runs, say }: BenchOptions): Promise<Record<string, number | boolean>> {
  const postgres = await startServer();
  process.env['TEST_DATABASE_URL'] = postgres.url;
  const directory = incidentStore.migrations;
  const database = await testDatabase({
    migrations: [{ schema: 'incident_store', ...(directory ? { directory } : {}) }],
  });
  const pool = new pg.Pool({ connectionString: database.url, max: 1 });
  try {
    say(hardware(await nameOf(pool), 'no Kafka'));
    const events = await writeStreams(pool, mintId('ws', randomBytes(16)));
    say(`${events} events of ${INCIDENTS} incidents`);
    const connectionString = database.url;
    const dropped = await rebuild({ connectionString });
    const reports: RebuildReport[] = [];
    for (let run = 1; run <= runs; run++) {
      reports.push(await rebuild({ connectionString }));
      say(`rebuild ${run}/${runs}: ${rateOf(reports.at(-1)!).toFixed(0)} events/s, equal: ${reports.at(-1)!.equal}`);
    }
    say('');
    say(figure('rebuild, compared row for row', reports.map(rateOf), 'events/s'));
    say(figure('rebuild of dropped projections', [rateOf(dropped)], 'events/s'));
    return {
      events_per_second: median(reports.map(rateOf)),
      dropped_events_per_second: rateOf(dropped),
      events,
      incidents: INCIDENTS,
      equal: [dropped, ...reports].every(({ equal }) => equal),
    };
  } finally {
    await pool.end();
    await database.drop();
    await postgres.stop();
  }
}

const rateOf = ({ events, seconds }: RebuildReport): number => events / seconds;
