import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { encodeRecord, type NormalizedAlert } from '@tocsin/contracts';
import { isObject, parseJson } from '@tocsin/domain/mapping';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Connector, Normalization } from './kit/compile.ts';
import { expectedResultOf, sampleContext } from './kit/expected-result.ts';
import { connectors } from './registry.ts';

const here = new URL('./', import.meta.url);
const folders = readdirSync(here, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && existsSync(new URL(`${entry.name}/source.ts`, here)))
  .map((entry) => entry.name);

interface Sample {
  name: string;
  bytes: Buffer;
  expected: unknown;
}

function samplesOf(id: string): Sample[] {
  const folder = new URL(`${id}/samples/`, here);
  return readdirSync(folder)
    .filter((file) => !file.endsWith('.expected.json'))
    .map((file) => ({
      name: file,
      bytes: readFileSync(new URL(file, folder)),
      expected: JSON.parse(readFileSync(new URL(file.replace(/\.\w+$/, '.expected.json'), folder), 'utf8')) as unknown,
    }));
}

const normalize = (connector: Connector, bytes: Uint8Array): Normalization =>
  connector.normalize({ bytes, contentType: 'application/json' }, sampleContext);
const alertsOf = (result: Normalization): NormalizedAlert[] => (result.kind === 'alerts' ? result.alerts : []);
const alertsOfSamples = (connector: Connector): NormalizedAlert[] =>
  samplesOf(connector.source.id).flatMap((sample) => alertsOf(normalize(connector, sample.bytes)));

/** The same document with every object's keys reversed, and indented: what a proxy or another serialiser may do to it. */
function reordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reordered);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== '__proto__')
      .reverse()
      .map(([key, inner]) => [key, reordered(inner)]),
  );
}

/** A hang guard, ten times what a payload may take. */
const GUARD_MS = 500;

function expectTotal(connector: Connector, bytes: Uint8Array): void {
  const begun = performance.now();
  const result = normalize(connector, bytes);
  expect(performance.now() - begun).toBeLessThan(GUARD_MS);
  expect(['alerts', 'ignored', 'unreadable']).toContain(result.kind);
  // A throw inside a connector is caught in production and dead-lettered; here it is a bug.
  if (result.kind !== 'alerts') {
    expect(result.reason).not.toBe('connector-failed');
    return;
  }
  expect(result.omitted.map((one) => one.reason)).not.toContain('connector-failed');
  expect(result.alerts.length + result.omitted.length).toBe(result.total);
  const { receiptId, workspaceId, webhookId, receivedAt } = sampleContext;
  const envelope = { receiptId, workspaceId, webhookId, scope: workspaceId, receivedAt, receiptTotal: result.total };
  encodeRecord('alerts.normalized.v1', { ...envelope, alerts: result.alerts });
  expect(JSON.stringify(normalize(connector, bytes))).toBe(JSON.stringify(result));
}

describe('the registry', () => {
  it('holds every folder that has a source.ts, under its own name', () =>
    expect(connectors.map((connector) => connector.source.id)).toEqual(folders));
});

describe.each(connectors.map((connector) => [connector.source.id, connector] as const))('%s', (id, connector) => {
  const samples = samplesOf(id);

  it('has at least three samples and a README with set-up, authentication, resolves and traps', () => {
    expect(samples.length).toBeGreaterThanOrEqual(3);
    const readme = readFileSync(new URL(`${id}/README.md`, here), 'utf8');
    for (const heading of ['## Set-up', '## Authentication', '## What resolves', '## Traps'])
      expect(readme).toContain(heading);
  });

  it.each(samples.map((sample) => [sample.name, sample] as const))(
    'reads %s as its expected file says',
    (_name, sample) => expect(expectedResultOf(connector, sample.bytes)).toEqual(sample.expected),
  );

  it.each(samples.map((sample) => [sample.name, sample] as const))(
    'gives %s the same keys in another key order and layout',
    (_name, { bytes }) => {
      const keysOf = (from: Uint8Array) =>
        alertsOf(normalize(connector, from)).map(({ status, dedupKey, resolveKey, firingKey }) => ({
          status,
          dedupKey,
          resolveKey,
          firingKey,
        }));
      const other = Buffer.from(JSON.stringify(reordered(parseJson(bytes.toString('utf8'))), null, 4));
      expect(keysOf(other)).toEqual(keysOf(bytes));
    },
  );

  it.runIf(connector.source.resolves)('has a resolve sample that matches its trigger', () => {
    const alerts = alertsOfSamples(connector);
    const triggered = new Set(alerts.filter((alert) => alert.status === 'triggered').map((alert) => alert.resolveKey));
    const resolved = alerts.filter((alert) => alert.status === 'resolved').map((alert) => alert.resolveKey);
    expect(resolved.filter((key) => triggered.has(key))).not.toEqual([]);
  });

  it('shows each of its ignore rules in a sample', () => {
    const shown = new Set(
      samples
        .map((sample) => normalize(connector, sample.bytes))
        .flatMap((result) => (result.kind === 'ignored' ? [result.reason] : [])),
    );
    for (const rule of connector.source.ignore) expect(shown).toContain(rule.reason);
  });

  it('reads any JSON as alerts, an ignore reason or a dead-letter reason', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (text) => expectTotal(connector, Buffer.from(text))),
      { numRuns: 200 },
    );
  });

  it('reads any bytes likewise', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => expectTotal(connector, bytes)),
      { numRuns: 100 },
    );
  });

  it('reads samples with any part replaced likewise', () => {
    fc.assert(
      fc.property(fc.constantFrom(...samples), fc.nat(), fc.jsonValue({ maxDepth: 3 }), (sample, at, replacement) => {
        const root = parseJson(sample.bytes.toString('utf8'));
        expectTotal(connector, Buffer.from(JSON.stringify(replacedAt(root, at, replacement))));
      }),
      { numRuns: 300 },
    );
  });

  it('reads samples cut off or with a byte changed likewise', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...samples),
        fc.nat(),
        fc.integer({ min: 0, max: 255 }),
        fc.boolean(),
        (sample, at, byte, cut) => {
          const position = at % sample.bytes.length;
          const bytes = Buffer.from(cut ? sample.bytes.subarray(0, position) : sample.bytes);
          if (!cut) bytes[position] = byte;
          expectTotal(connector, bytes);
        },
      ),
      { numRuns: 300 },
    );
  });
});

/** Replaces the n-th node (depth first, wrapping round) of a document. */
function replacedAt(root: unknown, at: number, replacement: unknown): unknown {
  const count = (value: unknown): number =>
    1 +
    (typeof value === 'object' && value !== null
      ? Object.values(value).reduce<number>((sum, inner) => sum + count(inner), 0)
      : 0);
  let left = at % count(root);
  const copy = (value: unknown): unknown => {
    if (left-- === 0) return replacement;
    if (Array.isArray(value)) return value.map(copy);
    if (!isObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copy(inner)]));
  };
  return copy(root);
}
