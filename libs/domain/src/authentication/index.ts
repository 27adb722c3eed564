export * from './schemes.ts';
export * from './credentials.ts';
export { authenticate, check, type Attempt } from './verify.ts';
export { dressOf, presentCredential, wordAsWritten, type PresentedCredential, type Presenter } from './present.ts';
export { signaturesIn } from './signatures.ts';
export { valueOf } from './raw-headers.ts';
export * from './sns.ts';
export { isKept, keptHeaders, keptQuery } from './kept-headers.ts';
