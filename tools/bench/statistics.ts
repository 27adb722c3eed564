import { readFileSync } from 'node:fs';
import { cpus, totalmem, release } from 'node:os';

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Quantile by nearest rank. */
export function quantile(values: readonly number[], q: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1 + (q === 0 ? 1 : 0))] as number;
}

/** Median with the least and greatest of the runs: a wide span says that the machine was busy. */
export function figure(name: string, values: readonly number[], unit: string): string {
  const show = (value: number) => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(2));
  return `${name.padEnd(34)} ${show(median(values)).padStart(9)} ${unit.padEnd(9)} (${values.length} runs, ${show(Math.min(...values))} … ${show(Math.max(...values))})`;
}

/** What the figures were measured on. */
export function hardware(postgres: string, kafka: string): string {
  const [cpu] = cpus();
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return [
    `Tocsin ${version}, Node ${process.version}, ${postgres}, ${kafka}`,
    `${cpus().length} cores (${cpu?.model.trim() ?? 'unknown'}), ${(totalmem() / 2 ** 30).toFixed(0)} GiB, ${process.platform} ${release()}; everything on this machine`,
  ].join('\n');
}
