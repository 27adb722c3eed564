import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';

/** What a command sees of the world around it. */
export interface Terminal {
  environment: Record<string, string | undefined>;
  now(): Date;
  out(text: string): void;
  err(text: string): void;
  /** Bytes of a file; `-` is standard input. */
  read(path: string): Promise<Buffer>;
}

export const processTerminal = (environment: Terminal['environment']): Terminal => ({
  environment,
  now: () => new Date(),
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  read: (path) => (path === '-' ? buffer(process.stdin) : readFile(path)),
});

/** The command was written wrongly, or names what is not there: exit code 2. */
export class UsageError extends Error {}
