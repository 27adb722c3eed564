import type { DecisionReason, Why } from '@tocsin/contracts';

type Tried = Why['tried'][number];
type Step = Tried['step'];
type Evidence = Record<string, unknown>;

/** Every record begins with it, but those of repeated ids. */
const NOT_PROCESSED: Tried = Object.freeze({ step: 'processed', result: 'miss' });

/** What was tried for one alert, in order, and what each step looked at. */
export class Trail {
  private readonly tried: Tried[] = [];

  constructor(private readonly configRevision: number) {}

  notProcessed(): void {
    this.tried.push(NOT_PROCESSED);
  }

  hit(step: Step, evidence?: Evidence): void {
    this.tried.push(evidence ? { step, result: 'hit', evidence } : { step, result: 'hit' });
  }

  miss(step: Step, detail?: string, evidence?: Evidence): void {
    if (detail && evidence) this.tried.push({ step, result: 'miss', detail, evidence });
    else this.tried.push({ step, result: 'miss', ...(detail && { detail }), ...(evidence && { evidence }) });
  }

  skip(step: Step, detail: string): void {
    this.tried.push({ step, result: 'not-applicable', detail });
  }

  /** The finished record, with the reason that decided. */
  because(reason: DecisionReason): Why {
    return { reason, tried: this.tried, configRevision: this.configRevision };
  }
}
