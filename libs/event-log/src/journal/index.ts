export { openJournal, type JournalOptions, type StoredPosition } from './open.ts';
export type { Journal } from './journal.ts';
export type { CrashStep, Faults } from './faults.ts';
export { takeLock } from './lock.ts';
