export * from './credentials.ts';
export { authenticate, type Attempt } from './verify.ts';
export { signaturesIn } from './signatures.ts';
