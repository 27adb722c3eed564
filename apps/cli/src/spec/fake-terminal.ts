import type { Terminal } from '../terminal.ts';

/** A terminal in memory: files are given, what is printed is kept. */
export class FakeTerminal implements Terminal {
  printed = '';
  complained = '';

  constructor(
    private readonly files: Record<string, string> = {},
    readonly environment: Record<string, string | undefined> = {},
  ) {}

  now = () => new Date('2026-11-21T09:00:00.000Z');
  out = (text: string) => void (this.printed += text);
  err = (text: string) => void (this.complained += text);
  read = (path: string) => {
    const text = this.files[path];
    return text === undefined ? Promise.reject(new Error('no such file')) : Promise.resolve(Buffer.from(text));
  };
}
