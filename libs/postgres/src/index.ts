export * from './pipeline.ts';
export { createPools, withWorkspace, PIPELINE_ROLE, REST_ROLE, type Pools, type PoolsOptions } from './pools.ts';
export { migrate, migrationSteps, MigrationError, type MigrateOptions } from './migrate.ts';
export { RolesMissingError } from './roles.ts';
