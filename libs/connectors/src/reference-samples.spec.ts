import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { NormalizedAlert } from '@tocsin/contracts';
import { sampleContext } from './kit/expected-result.ts';
import { connectorOf, connectors } from './registry.ts';

/**
 * Recorded payloads of real senders cannot be part of this repository. Where a folder of them, with a `manifest.json` of expected results,
 * lies beside the checkout as `shared/samples`, they are read too.
 */
const folder = fileURLToPath(new URL('../../../../shared/samples/', import.meta.url));

interface Entry {
  file: string;
  headers?: Record<string, string>;
  expected: Expected & {
    alerts_count?: number | null;
    ambiguous?: boolean;
    alerts?: Expected[];
    description_length_max?: number;
  };
}
interface Expected {
  title?: string | null;
  severity?: string | null;
  status?: string | null;
  description?: string | null;
  services?: string[] | null;
  tags?: string[] | null;
  url?: string | null;
  occurred_at?: string | null;
  dedup_key?: string | null;
}

const manifest = join(folder, 'manifest.json');
const entries = existsSync(manifest) ? (JSON.parse(readFileSync(manifest, 'utf8')) as Entry[]) : [];
const ours = new Set(connectors.map((connector) => connector.source.id));
const covered = entries.filter(
  (entry) => ours.has(entry.file.split('--')[0] ?? '') && entry.expected.ambiguous !== true,
);

/** Null or absent = not asserted. */
function expectAlert(alert: NormalizedAlert | undefined, expected: Expected): void {
  const shown = { ...alert, occurred_at: alert?.occurredAt, dedup_key: alert?.dedupKey } as Record<string, unknown>;
  const instant = expected.occurred_at ? new Date(expected.occurred_at).toISOString() : null; // with or without milliseconds
  const fields = ['title', 'severity', 'status', 'description', 'services', 'url', 'occurred_at', 'dedup_key'] as const;
  for (const field of fields) {
    const value = field === 'occurred_at' ? instant : expected[field];
    if (value !== null && value !== undefined) expect({ [field]: shown[field] }).toEqual({ [field]: value });
  }
}

describe.runIf(covered.length > 0)('recorded payloads', () => {
  it.each(covered.map((entry) => [entry.file, entry] as const))('%s', (file, { expected, headers = {} }) => {
    const bytes = readFileSync(join(folder, file));
    const payload = { bytes, contentType: headers['content-type'] ?? null, headers };
    const result = connectorOf(file.split('--')[0] ?? '')?.normalize(payload, sampleContext);
    if (expected.status === 'ignored') return expect(result?.kind).toBe('ignored');
    const alerts = result?.kind === 'alerts' ? result.alerts : [];
    if (typeof expected.alerts_count === 'number') expect(alerts).toHaveLength(expected.alerts_count);
    if (expected.description_length_max)
      expect(alerts[0]?.description.length).toBeLessThanOrEqual(expected.description_length_max);
    if (!expected.alerts) return expectAlert(alerts[0], expected);
    expected.alerts.forEach((one, index) => expectAlert(alerts[index], one));
  });
});
