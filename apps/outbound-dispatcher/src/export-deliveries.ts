import { Readable } from 'node:stream';
import type { Pool } from 'pg';
import { listDeliveries, type DeliveryFilter, type DeliveryView, type LogPlace } from './delivery-log.ts';

/** Rows per statement: an export holds no transaction open and little in memory. */
const PAGE = 200;

async function* deliveriesOf(restPool: Pool, filter: DeliveryFilter): AsyncGenerator<DeliveryView[]> {
  let before: LogPlace | undefined = filter.before;
  for (let left = filter.limit; left > 0;) {
    const { items, next } = await listDeliveries(restPool, { ...filter, before, limit: Math.min(PAGE, left) });
    if (items.length > 0) yield items;
    if (next === null) return;
    left -= items.length;
    before = next;
  }
}

const columns = [
  ...(['id', 'created_at', 'subscription_id', 'subscription_name', 'event_type', 'event_id', 'incident_id'] as const),
  ...(['sequence', 'status', 'reason', 'attempt_count', 'finished_at', 'next_attempt_at', 'test'] as const),
];

/** A cell of RFC 4180. Spreadsheets run what begins like a formula, so such a text gets an apostrophe. */
function cell(value: string | number | boolean | null): string {
  const text = value === null ? '' : String(value);
  const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

async function* csvOf(pages: AsyncIterable<DeliveryView[]>): AsyncGenerator<string> {
  yield `${[...columns, 'last_response_status', 'last_error'].join(',')}\r\n`;
  for await (const page of pages) {
    yield page
      .map((row) => {
        const last = row.attempts.at(-1);
        const cells = [...columns.map((name) => row[name]), last?.response_status ?? null, last?.error ?? null];
        return `${cells.map(cell).join(',')}\r\n`;
      })
      .join('');
  }
}

async function* jsonOf(pages: AsyncIterable<DeliveryView[]>): AsyncGenerator<string> {
  yield '[';
  let first = true;
  for await (const page of pages) {
    yield (first ? '\n' : ',\n') + page.map((row) => JSON.stringify(row)).join(',\n');
    first = false;
  }
  yield '\n]\n';
}

/** The log as a file, newest first: CSV with one line per delivery, or JSON with everything that is kept. */
export function exportDeliveries(restPool: Pool, filter: DeliveryFilter, format: 'csv' | 'json'): Readable {
  const bodyMax = format === 'csv' ? 0 : undefined;
  const pages = deliveriesOf(restPool, { ...filter, bodyMax });
  return Readable.from(format === 'csv' ? csvOf(pages) : jsonOf(pages));
}
