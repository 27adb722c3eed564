import { UsageError } from '../terminal.ts';

/** From one instant up to, but without, another. */
export interface Span {
  from: Date;
  to: Date;
}

const AGO = /^(\d{1,5})(m|h|d)$/;
const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Instants as people type them: ISO 8601, or so long ago (`90m`, `24h`, `7d`). @throws UsageError */
export function spanOf(from: string, to: string | undefined, now: Date): Span {
  const span = { from: instantOf('--from', from, now), to: to === undefined ? now : instantOf('--to', to, now) };
  if (span.from >= span.to) throw new UsageError('--from must be before --to');
  return span;
}

function instantOf(option: string, text: string, now: Date): Date {
  const [, count, unit] = AGO.exec(text) ?? [];
  if (count !== undefined) return new Date(now.getTime() - Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS]);
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) throw new UsageError(`${option}: an instant such as 2026-11-21T09:00Z, or 24h for so long ago`);
  return new Date(at);
}
