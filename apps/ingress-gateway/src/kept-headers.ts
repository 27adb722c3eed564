// The rule is the library's: the control-plane keeps the requests that it sends itself by the same one.
export { isKept, keptHeaders, keptQuery } from '@tocsin/domain/authentication';
