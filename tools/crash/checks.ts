import type { IncidentEventRecord } from '@tocsin/contracts';
import type { EventLog } from '@tocsin/event-log';
import type { Pool } from 'pg';
import { readTopic } from '../e2e/read-topic.ts';
import type { Receiver } from '../e2e/receiver.ts';
import { alertIdsOf, type Ledger, type LedgerEntry } from './ledger.ts';

export interface Check {
  name: string;
  failures: string[];
}

interface StoredIncident {
  incident_id: string;
  title: string;
  version: number;
  count: number;
}

export interface Evidence {
  ledger: Ledger;
  pool: Pool;
  log: EventLog;
  receiver: Receiver;
  /** Present incidents by their title, which is the dedup key of the load. */
  byKey: Map<string, StoredIncident[]>;
}

const INCIDENTS = `
  select incident_id, title, version::int as version, (document ->> 'webhook_occurrence_count')::int as count
  from incident_store.incidents`;

export async function storedIncidents(pool: Pool): Promise<Map<string, StoredIncident[]>> {
  const { rows } = await pool.query<StoredIncident>(INCIDENTS);
  const byKey = new Map<string, StoredIncident[]>();
  for (const row of rows) byKey.set(row.title, [...(byKey.get(row.title) ?? []), row]);
  return byKey;
}

export async function settledAlerts(pool: Pool): Promise<Set<string>> {
  const { rows } = await pool.query<{ alert_id: string }>('select alert_id from incident_store.alert_outcomes');
  return new Set(rows.map(({ alert_id }) => alert_id));
}

/** Alerts that a sender was promised and that nobody has settled. Empty = drained. */
export const missingAlerts = (ledger: Ledger, settled: Set<string>): string[] =>
  ledger.all().flatMap((entry) =>
    alertIdsOf(entry)
      .filter((id) => !settled.has(id))
      .map((id) => `${entry.key}: ${id}`),
  );

/** Confirmed occurrences are a lower bound; attempts an upper one, because an unanswered attempt may have arrived. */
function bounds(entry: LedgerEntry): [number, number] {
  if (!entry.idempotent) return [entry.receipts.length, entry.attempts];
  return [Math.min(1, entry.receipts.length), 1];
}

function occurrences({ ledger, byKey }: Evidence): Check {
  const failures = ledger.all().flatMap((entry) => {
    const [low, high] = bounds(entry);
    const counted = (byKey.get(entry.key) ?? []).reduce((sum, { count }) => sum + count, 0);
    return counted < low || counted > high
      ? [`${entry.key}: counted ${counted}, confirmed ${low}, attempted ${high}`]
      : [];
  });
  return { name: 'confirmed ≤ counted occurrences ≤ attempts, per key', failures };
}

function oneIncidentPerKey({ byKey }: Evidence): Check {
  const doubled = [...byKey].filter(([, incidents]) => incidents.length > 1);
  return {
    name: 'no key has two incidents',
    failures: doubled.map(([key, all]) => `${key}: ${all.map((i) => i.incident_id).join(', ')}`),
  };
}

async function nothingLost({ ledger, pool }: Evidence): Promise<Check> {
  return { name: 'every confirmed alert was settled', failures: missingAlerts(ledger, await settledAlerts(pool)) };
}

/** The published stream of each incident is the stored one: no gap, nothing behind the end, the same counts. */
async function published({ log, byKey }: Evidence): Promise<Check> {
  const streams = new Map<string, Map<number, IncidentEventRecord>>();
  const failures: string[] = [];
  for (const { key, value } of await readTopic(log, 'incident.events')) {
    const record = JSON.parse(value.toString()) as IncidentEventRecord;
    const stream = streams.get(key) ?? new Map<number, IncidentEventRecord>();
    const known = stream.get(record.sequence);
    if (known && known.event.hash !== record.event.hash)
      failures.push(`${key}@${record.sequence}: published with two contents`);
    if (!known && record.sequence !== stream.size + 1)
      failures.push(`${key}: first occurrence of ${record.sequence} after ${stream.size}`);
    if (!known) stream.set(record.sequence, record);
    streams.set(key, stream);
  }
  for (const { incident_id, version, count } of [...byKey.values()].flat()) {
    const stream = streams.get(incident_id);
    const last = stream?.get(version);
    if (stream?.size !== version) failures.push(`${incident_id}: ${stream?.size ?? 0} of ${version} events published`);
    else if (last?.incident.webhook_occurrence_count !== count)
      failures.push(`${incident_id}: published count differs from ${count}`);
  }
  return { name: 'every stored event was published, first occurrences in order', failures };
}

function delivered({ receiver, byKey }: Evidence): Check {
  const ids = new Map<string, Set<string>>();
  for (const { json, headers } of receiver.received) {
    if (json.type !== 'incident.created') continue;
    ids.set(json.data.id, (ids.get(json.data.id) ?? new Set()).add(String(headers['webhook-id'])));
  }
  const failures = [...byKey.values()].flat().flatMap(({ incident_id }) => {
    const seen = ids.get(incident_id)?.size ?? 0;
    return seen === 1
      ? []
      : [seen === 0 ? `${incident_id}: never delivered` : `${incident_id}: delivered under ${seen} ids`];
  });
  return { name: 'incident.created reached the receiver, repeats under the same id', failures };
}

async function nothingDead({ log }: Evidence): Promise<Check> {
  const letters = await readTopic(log, 'dead-letters');
  return { name: 'no dead letters', failures: letters.map(({ headers }) => String(headers['facts'])) };
}

export async function runChecks(evidence: Evidence): Promise<Check[]> {
  return [
    await nothingLost(evidence),
    occurrences(evidence),
    oneIncidentPerKey(evidence),
    await published(evidence),
    delivered(evidence),
    await nothingDead(evidence),
  ];
}
