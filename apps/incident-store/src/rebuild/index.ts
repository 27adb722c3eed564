export { rebuild, RebuildRunsError, type RebuildOptions, type RebuildReport } from './rebuild.ts';
export { NotEmptyError, restoreFromTopic, type RestoreOptions, type RestoreReport } from './restore.ts';
export { LogDamagedError } from './stored-streams.ts';
