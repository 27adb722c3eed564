import { type ChangeEvent, deriveId, type NormalizedAlert } from '@tocsin/contracts';
import { Notes } from '@tocsin/domain/mapping';
import { type Chain, compileChain, instantFrom, textFrom } from './fields.ts';
import type { ChangeFields, Reading } from './source-connector.ts';

export interface ChangeChains {
  kind: ChangeFields['kind'];
  version: Chain;
  environment: Chain;
  status: Chain;
  actor: Chain;
  started: Chain;
  finished: Chain;
}

/** @throws PathError when a path cannot be read. */
export const compileChange = (fields: ChangeFields): ChangeChains => ({
  kind: fields.kind,
  version: compileChain(fields.version ?? []),
  environment: compileChain(fields.environment ?? []),
  status: compileChain(fields.status ?? []),
  actor: compileChain(fields.actor ?? []),
  started: compileChain(fields.started ?? []),
  finished: compileChain(fields.finished ?? []),
});

/** The same limits as `POST changes`: one line each. */
const MAX = { service: 200, short: 200, status: 100, title: 500, url: 2_000 } as const;

/** What `status` says where the source has no word of its own that is given. */
const STATUS = { triggered: 'failed', resolved: 'succeeded', acknowledged: 'acknowledged', update: 'updated' } as const;

/** The change that an element tells of, in the form of `change.events`; undefined: of none. Its id repeats with its receipt. */
export function changeOf(chains: ChangeChains, reading: Reading, alert: NormalizedAlert): ChangeEvent | undefined {
  const kind = chains.kind(reading);
  if (kind === undefined) return undefined;
  const notes = new Notes(); // what is lost here is lost of the change only; the alert has notes of its own
  const text = (chain: Chain, max: number): string | null => oneLine(textFrom(chain, reading, notes, 'change'), max);
  const started = instantFrom(chains.started, reading, notes) ?? null;
  const finished = instantFrom(chains.finished, reading, notes) ?? null;
  return {
    id: deriveId('chg', alert.id),
    workspace_id: alert.workspaceId,
    kind,
    service: oneLine(alert.services[0], MAX.service) ?? alert.connector,
    version: text(chains.version, MAX.short),
    environment: text(chains.environment, MAX.short),
    status: text(chains.status, MAX.status) ?? STATUS[alert.status],
    title: oneLine(alert.title, MAX.title),
    url: webAddress(alert.url),
    actor: text(chains.actor, MAX.short),
    // A finish before the start is a clock that went wrong; the start is what an investigation looks at.
    started,
    finished: started !== null && finished !== null && finished < started ? null : finished,
    recorded_at: alert.receivedAt,
  };
}

function oneLine(text: string | undefined, max: number): string | null {
  const line = text
    ?.toWellFormed()
    .replaceAll(/\p{Cc}+/gu, ' ')
    .trim();
  return line ? line.slice(0, max).toWellFormed() : null;
}

const webAddress = (url: string | null): string | null =>
  url !== null && url.length <= MAX.url && /^https?:\/\/\S+$/i.test(url) ? url : null;
