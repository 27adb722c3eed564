import { randomBytes } from 'node:crypto';

/** A name part that no other test uses: lower-case letters and digits, starts with a letter; fits topics, schemas, groups. */
export const uniquePrefix = (): string => `t${randomBytes(6).toString('hex')}`;
