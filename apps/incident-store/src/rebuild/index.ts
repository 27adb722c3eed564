export { rebuild, RebuildRunsError, type RebuildOptions, type RebuildReport } from './rebuild.ts';
export { LogDamagedError } from './stored-streams.ts';
