export const SYNC_LINKS = Symbol('SYNC_LINKS');
