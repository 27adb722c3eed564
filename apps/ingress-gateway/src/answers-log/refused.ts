import type { ProblemCode } from '@tocsin/contracts';
import { Problem, type ProblemExtra } from '@tocsin/nest-shell';

/** A refusal of which the webhook's owner may know more than its sender: `reason` says which check failed. */
export class Refused extends Problem {
  constructor(
    readonly reason: string,
    code: ProblemCode,
    detail: string,
    extra?: ProblemExtra,
  ) {
    super(code, detail, extra);
  }
}

/** Which check failed: the reason of the check where it has its own, else the code of the answer. */
export function reasonOf(problem: Problem): string {
  if (problem instanceof Refused) return problem.reason;
  return problem.extra.errors?.[0]?.code ?? problem.code;
}
