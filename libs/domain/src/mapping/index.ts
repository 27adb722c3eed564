export * from './json.ts';
export * from './limits.ts';
export * from './notes.ts';
export * from './path.ts';
export * from './times.ts';
export * from './values.ts';
export * from './vocabulary.ts';
