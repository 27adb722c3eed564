import type { AlertStatus, Severity } from '@tocsin/contracts';
import {
  compilePath,
  instantOf,
  isEmpty,
  isUnsetTime,
  listOf,
  type Notes,
  severityOf,
  type SeverityProfile,
  statusOf,
  textOf,
} from '@tocsin/domain/mapping';
import type { FieldSource, FieldSources, Reading, SourceConnector } from './source-connector.ts';

/** One source of a chain. `several`: what `read` gives is the list of all that its path found, else the value itself. */
interface Step {
  several: boolean;
  read(reading: Reading): unknown;
}
/** A fallback chain with its paths compiled. */
export type Chain = readonly Step[];

const ROOT = '$root';

export const compileChain = (sources: FieldSources): Chain => sources.map(compileSource);

function compileSource(source: FieldSource): Step {
  if (typeof source === 'function') return { several: false, read: source };
  if (source === ROOT || source.startsWith(`${ROOT}.`) || source.startsWith(`${ROOT}[`)) {
    const { findOne, find } = compilePath(`$${source.slice(ROOT.length)}`);
    return findOne
      ? { several: false, read: ({ root }) => findOne(root) }
      : { several: true, read: ({ root }) => find(root) };
  }
  const { findOne, find } = compilePath(source);
  return findOne
    ? { several: false, read: ({ element }) => findOne(element) }
    : { several: true, read: ({ element }) => find(element) };
}

/** All that a source found, where more than one value is of use. */
const foundBy = (step: Step, reading: Reading): readonly unknown[] =>
  step.several ? (step.read(reading) as readonly unknown[]) : [step.read(reading)];

/** The first text of a chain. Where a source has several values the first one counts, with a note. */
export function textFrom(chain: Chain, reading: Reading, notes: Notes, field: string): string | undefined {
  for (const step of chain) {
    const value = step.read(reading);
    if (value === undefined) continue;
    const text = textOf(value);
    if (text === undefined) continue;
    if (Array.isArray(value) && value.filter((one) => !isEmpty(one)).length > 1) notes.add('first-of-list', field);
    return text;
  }
  return undefined;
}

/** The first non-empty list of a chain. */
export function listFrom(chain: Chain, reading: Reading): string[] {
  for (const step of chain) {
    const value = step.read(reading);
    if (value === undefined) continue;
    const list = step.several ? (value as readonly unknown[]).flatMap(listOf) : listOf(value);
    if (list.length > 0) return list;
  }
  return [];
}

/** The first readable instant of a chain; what is there but cannot be read is noted, never fatal. */
export function instantFrom(chain: Chain, reading: Reading, notes: Notes): string | undefined {
  for (const step of chain) {
    for (const value of foundBy(step, reading)) {
      const instant = instantOf(value);
      if (instant !== undefined) return instant;
      if (!isUnsetTime(value)) notes.add('time-unreadable', 'occurredAt', textOf(value));
    }
  }
  return undefined;
}

const own = <T>(table: Readonly<Record<string, T>> | undefined, word: string): T | undefined =>
  table && Object.hasOwn(table, word) ? table[word] : undefined;

/** Words that the user of a webhook has given a meaning; they go before those of the connector. */
export interface UserWords {
  severityOf(this: void, text: string): Severity | undefined;
  statusOf(this: void, text: string): AlertStatus | undefined;
}

/** What a status word means to a connector. */
export const statusWordOf = (table: SourceConnector['status'], text: string): AlertStatus | undefined =>
  own(table.map, text.trim().toLowerCase()) ?? statusOf(text);

/** What a severity word means to a connector. */
export const severityWordOf = (
  table: SourceConnector['severity'],
  text: string,
  profile: SeverityProfile,
): Severity | undefined => own(table.map, text.trim().toLowerCase()) ?? severityOf(text, profile);

export function statusFrom(
  chain: Chain,
  table: SourceConnector['status'],
  reading: Reading,
  known: { notes: Notes; words?: UserWords | undefined },
): AlertStatus {
  const { notes, words } = known;
  const text = textFrom(chain, reading, notes, 'status');
  if (text === undefined) return table.absent;
  const status = words?.statusOf(text) ?? statusWordOf(table, text);
  if (status !== undefined) return status;
  notes.add('status-unknown', 'status', text);
  return 'triggered'; // an unknown word must not hide a problem
}

/** The level, or undefined (with a note) where the webhook's default has to stand in. */
export function severityFrom(
  chain: Chain,
  table: SourceConnector['severity'],
  reading: Reading,
  known: { profile: SeverityProfile; notes: Notes; words?: UserWords | undefined },
): Severity | undefined {
  let unknown: string | undefined;
  for (const step of chain) {
    const text = textOf(step.read(reading));
    if (text === undefined) continue;
    const severity = known.words?.severityOf(text) ?? severityWordOf(table, text, known.profile);
    if (severity !== undefined) return severity;
    unknown ??= text;
    if (table.take !== 'first-known') break;
  }
  if (unknown === undefined) known.notes.add('severity-missing', 'severity');
  else known.notes.add('severity-unknown', 'severity', unknown);
  return undefined;
}
