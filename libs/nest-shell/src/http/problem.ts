import { problems, type ProblemCode, type ProblemDetail } from '@tocsin/contracts';

export interface ProblemExtra {
  errors?: ProblemDetail[];
  headers?: Record<string, string>;
  /** Extension members of the problem document, e.g. the current state. */
  body?: Record<string, unknown>;
}

/** An answer that says what and where (RFC 9457). Thrown by doors and commands; the filter turns it into problem+json. */
export class Problem extends Error {
  readonly status: number;
  constructor(
    readonly code: ProblemCode,
    readonly detail: string,
    readonly extra: ProblemExtra = {},
  ) {
    super(`${code}: ${detail}`);
    this.status = problems[code].status;
  }
}

/** Body of an `application/problem+json` answer. */
export function problemBody(problem: Problem): Record<string, unknown> {
  return {
    type: `urn:tocsin:problem:${problem.code}`,
    title: problems[problem.code].title,
    status: problem.status,
    code: problem.code,
    detail: problem.detail,
    ...(problem.extra.errors ? { errors: problem.extra.errors } : {}),
    ...problem.extra.body,
  };
}
