import { Problem } from '@tocsin/nest-shell';
import { Matches, ValidateIf } from 'class-validator';

/** The field may be left out. Unlike class-validator's IsOptional it does not let null through. */
export const Optional = (): PropertyDecorator => ValidateIf((_body, value) => value !== undefined);

/** The field may be left out or null. */
export const OptionalOrNull = (): PropertyDecorator =>
  ValidateIf((_body, value) => value !== undefined && value !== null);

/** One field that is wrong in a way that a decorator cannot say. */
export const invalidField = (path: string, code: string, message: string): Problem =>
  new Problem('validation-failed', `${path}: ${message}`, { errors: [{ path, code, message }] });

/**
 * One line of text: no control characters (CR and LF could break out of a header or a log line) and no lone surrogates,
 * which PostgreSQL's jsonb refuses.
 */
export const CLEAN_TEXT = /^[^\p{Cc}\p{Cs}]*$/u;
/** Text of many lines that PostgreSQL can hold. */
export const STORABLE_TEXT = /^[^\0\p{Cs}]*$/u;
/** RFC 9110 token: what a header name may be. */
export const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/;

/** `If-Match` as a revision: absent or `*` asks for none. @throws Problem for anything that no ETag of ours looks like. */
export function revisionOf(ifMatch: string | undefined): number | undefined {
  if (ifMatch === undefined || ifMatch.trim() === '*') return undefined;
  const [, revision] = /^"(\d{1,15})"$/.exec(ifMatch.trim()) ?? [];
  if (revision === undefined)
    throw new Problem('precondition-failed', 'If-Match must be the ETag of an earlier answer, e.g. "42".');
  return Number(revision);
}

/** Ids in paths. What cannot be an id is told so; what is not there, or not yours, is a 404. */
export class IdPath {
  @Matches(/^[a-z0-9_]{1,100}$/, { message: 'id must be an id, e.g. whk_…' }) id!: string;
}
