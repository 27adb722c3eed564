export { startPostgres, testDatabase, type TestDatabaseOptions, type TestServer } from './postgres.ts';
export { uniquePrefix } from './unique-prefix.ts';
export { waitFor } from './wait-for.ts';
