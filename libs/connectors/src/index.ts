export * from './folder-of.ts';
export * from './kit/alert-view.ts';
export * from './kit/compile.ts';
export * from './kit/decode.ts';
export * from './kit/reading-of.ts';
export * from './kit/redacted-body.ts';
export * from './kit/source-connector.ts';
export * from './registry.ts';
