import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { SignatureVerdicts } from './verify.ts';

export const SINK = Symbol('SINK');
export interface Sink {
  store: SinkStore;
  /** Secret of the demo subscription. */
  secret: string;
}

/** One request that the sink received. */
export interface SinkEntry {
  received_at: string;
  event: string | null;
  event_id: string | null;
  attempt: string | null;
  incident_id: string | null;
  signatures: SignatureVerdicts;
  verified: boolean;
  headers: Record<string, string>;
  body: unknown;
}

/** Newest entries that are kept; older ones go. */
export const SINK_KEEPS = 200;

/** The demo receiver's memory: a small file, so that a restart shows the same. */
export class SinkStore {
  private readonly entries: SinkEntry[];

  constructor(private readonly file: string) {
    this.entries = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as SinkEntry[]) : [];
  }

  /** Durable before it returns: the answer to the sender promises that it was kept. */
  add(entry: SinkEntry): void {
    this.entries.push(entry);
    if (this.entries.length > SINK_KEEPS) this.entries.splice(0, this.entries.length - SINK_KEEPS);
    writeFileSync(`${this.file}.new`, JSON.stringify(this.entries), { mode: 0o600 });
    renameSync(`${this.file}.new`, this.file);
  }

  newestFirst(): SinkEntry[] {
    return [...this.entries].reverse();
  }
}
