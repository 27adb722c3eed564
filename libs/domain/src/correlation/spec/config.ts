/** How many histories the model tests play: `TOCSIN_MODEL_HISTORIES=1000000 npx vitest run --project unit libs/domain/src/correlation`. */
export const historyCount = (share: number): number =>
  Math.ceil(Number(process.env['TOCSIN_MODEL_HISTORIES'] ?? 10_000) * share);
