import { readdirSync, readFileSync } from 'node:fs';
import type { NormalizedAlert } from '@tocsin/contracts';
import { isObject, parseJson } from '@tocsin/domain/mapping';
import { describe, expect, it } from 'vitest';
import type { Connector, Payload } from './kit/compile.ts';
import { sampleContext } from './kit/expected-result.ts';
import { countOf, HUGE, hugeIntegers, replacedAt, reordered } from './kit/mutations.ts';
import { type Sample, samplesOf } from './kit/samples.ts';
import { connectors } from './registry.ts';

/** What every connector must keep of a value, with a count behind each claim: a spec that looked at nothing fails. */
const here = new URL('./', import.meta.url);

const alertsOf = (connector: Connector, payload: Payload): NormalizedAlert[] => {
  const result = connector.normalize(payload, sampleContext);
  return result.kind === 'alerts' ? result.alerts : [];
};

/** A sample as a document that can be changed and sent again: JSON, or JSON in a field of a url-encoded form. */
interface Document {
  root: unknown;
  send(text: string): Payload;
}

function documentOf({ payload }: Sample): Document | undefined {
  const text = Buffer.from(payload.bytes).toString('utf8');
  const asJson = rootIn(text);
  if (asJson !== undefined) return { root: asJson, send: (json) => ({ ...payload, bytes: Buffer.from(json) }) };
  const inField = rootIn(new URLSearchParams(text.trim()).get('payload') ?? '');
  const send = (json: string) => ({
    ...payload,
    bytes: Buffer.from(new URLSearchParams({ payload: json }).toString()),
  });
  return inField === undefined ? undefined : { root: inField, send };
}

function rootIn(text: string): unknown {
  try {
    const root = parseJson(text);
    return typeof root === 'object' && root !== null ? root : undefined;
  } catch {
    return undefined; // a form of fields, or JSON that has to be repaired
  }
}

const keysOf = (alerts: readonly NormalizedAlert[]) =>
  alerts.map(({ status, dedupKey, resolveKey, firingKey }) => ({ status, dedupKey, resolveKey, firingKey }));
const allKeys = ({ dedupKey, resolveKey, firingKey }: NormalizedAlert): string =>
  [dedupKey, resolveKey, firingKey ?? ''].join(' ');

/** Ids that are words with a number behind them (`Projects-12`): the vendor has no number there. */
const WORD_IDS = new Map([['octopus-deploy', /^(?:Projects|Machines)-\d+$/]]);
/** Titles that are made of several values; what must be kept is seen in another field. */
const COMPOSED_TITLES = new Map<string, 'source'>([['travis', 'source']]);

describe.each(connectors.map((connector) => [connector.source.id, connector] as const))('%s', (id, connector) => {
  const folder = new URL(`${id}/samples/`, here);
  const samples = samplesOf(readdirSync(folder), (file) => readFileSync(new URL(file, folder)));
  const documents = samples.flatMap((sample) => documentOf(sample) ?? []);
  const withAlerts = documents.filter(({ root, send }) => alertsOf(connector, send(JSON.stringify(root))).length > 0);

  it('has the same keys under another key order and other white space', () => {
    expect(withAlerts.length).toBeGreaterThan(0);
    for (const { root, send } of withAlerts) {
      const keys = keysOf(alertsOf(connector, send(JSON.stringify(root))));
      const others = [
        JSON.stringify(reordered(root)),
        JSON.stringify(root, null, '\t'),
        `\r\n ${JSON.stringify(root, null, 3)} \n`,
      ];
      for (const text of others) expect(keysOf(alertsOf(connector, send(text)))).toEqual(keys);
    }
  });

  /** Every alert of every sample, each changed in these ways. */
  const alertsOfChanged = (change: (root: unknown) => Iterable<string>): NormalizedAlert[] =>
    withAlerts.flatMap(({ root, send }) => [...change(root)].flatMap((text) => alertsOf(connector, send(text))));

  it('brings every digit of an integer beyond 2^53 into a key', () => {
    const words = WORD_IDS.get(id);
    const keys = alertsOfChanged((root) =>
      words ? hugeWords(root, words) : [...hugeIntegers(root)].map(([text]) => text),
    ).map(allKeys);
    expect(keys.filter((key) => key.includes(HUGE))).not.toEqual([]);
    expect(keys.filter((key) => key.includes(`${HUGE.slice(0, -1)}2`))).toEqual([]);
  });

  it.each([0, false])('keeps %s as a value', (value) => {
    const field = COMPOSED_TITLES.get(id) ?? 'title';
    const everywhere = (root: unknown) =>
      Array.from({ length: countOf(root) }, (_one, at) => JSON.stringify(replacedAt(root, at, value)));
    expect(alertsOfChanged(everywhere).filter((alert) => alert[field] === String(value))).not.toEqual([]);
  });
});

/** The document once per id of this form, with a huge number in it. */
function hugeWords(root: unknown, form: RegExp): string[] {
  return Array.from({ length: countOf(root) }, (_one, at) => at)
    .map((at) => JSON.stringify(replacedAt(root, at, '\u0001')))
    .flatMap((text, at) => {
      const word = valueOf(root, at);
      return typeof word === 'string' && form.test(word) ? [text.replace('\\u0001', word.replace(/\d+$/, HUGE))] : [];
    });
}

/** The node at a place, counted as `replacedAt` counts. */
function valueOf(root: unknown, at: number): unknown {
  let left = at;
  const find = (value: unknown): unknown => {
    if (left-- === 0) return value;
    const inner = Array.isArray(value) ? (value as unknown[]) : isObject(value) ? Object.values(value) : [];
    for (const one of inner) {
      const found = find(one);
      if (left < 0) return found;
    }
    return undefined;
  };
  return find(root);
}
