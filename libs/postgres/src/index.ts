export * from './pipeline.ts';
export { createPools, withWorkspace, PIPELINE_ROLE, REST_ROLE, type Pools, type PoolsOptions } from './pools.ts';
export { migrate, migrationSteps, MigrationError, type MigrateOptions } from './migrate.ts';
export { RolesMissingError } from './roles.ts';
export { createPipeline, type PipelineOptions } from './create-pipeline.ts';
export { deadLetterOf } from './dead-letters.ts';
export { CommitUnknownError, HandlerContractError, RetryBatchError } from './errors.ts';
export { markOf, originOf, parseMark } from './mark.ts';
export { setPosition, showPositions, type Position } from './positions.ts';
