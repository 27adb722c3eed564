export { freePort } from './free-port.ts';
export { type KafkaBroker, type KafkaBrokerOptions, startKafkaBroker, testKafka, type TestKafka } from './kafka.ts';
export { startPostgres, testDatabase, type TestDatabaseOptions, type TestServer } from './postgres.ts';
export { AppProcess, Split, type AppOptions, type SplitOptions } from './processes.ts';
export { uniquePrefix } from './unique-prefix.ts';
export { waitFor } from './wait-for.ts';
