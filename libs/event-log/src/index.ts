export * from './port.ts';
export { EventLogError, PartitionMismatch, type EventLogErrorCode, type EventLogLogger } from './errors.ts';
export { partitionOf } from './partition-of.ts';
