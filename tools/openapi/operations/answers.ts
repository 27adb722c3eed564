import type { Answer } from '../describe.ts';
import { ref } from '../json-schema.ts';

/** An answer whose body is a schema of `schemas/`. */
export const answer = (name: string, description: string, headers?: Record<string, string>): Answer => ({
  description,
  schema: ref(name),
  ...(headers ? { headers } : {}),
});

export const nothing = (description: string): Answer => ({ description });

export const ETAG = { etag: 'The revision, for If-Match.' };
export const MADE = { ...ETAG, location: 'Where the new one is.' };
