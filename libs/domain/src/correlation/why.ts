import type { DecisionReason, Why } from '@tocsin/contracts';

type Tried = Why['tried'][number];
type Step = Tried['step'];
type Evidence = Record<string, unknown>;

/** Every record begins with it, but those of repeated ids. */
const NOT_PROCESSED: Tried = Object.freeze({ step: 'processed', result: 'miss' });

/** What was tried for one alert, in order, and what each step looked at. */
export class Trail {
  /** Room for as many steps as a decision takes, which is cut off in the end: a list that grows takes more than it needs. */
  private readonly steps = [
    NOT_PROCESSED,
    NOT_PROCESSED,
    NOT_PROCESSED,
    NOT_PROCESSED,
    NOT_PROCESSED,
    NOT_PROCESSED,
    NOT_PROCESSED,
  ];
  private count = 0;

  constructor(private readonly configRevision: number) {}

  notProcessed(): void {
    this.note(NOT_PROCESSED);
  }

  hit(step: Step, evidence?: Evidence): void {
    this.note(evidence ? { step, result: 'hit', evidence } : { step, result: 'hit' });
  }

  miss(step: Step, detail?: string, evidence?: Evidence): void {
    if (detail && evidence) this.note({ step, result: 'miss', detail, evidence });
    else this.note({ step, result: 'miss', ...(detail && { detail }), ...(evidence && { evidence }) });
  }

  skip(step: Step, detail: string): void {
    this.note({ step, result: 'not-applicable', detail });
  }

  private note(step: Tried): void {
    this.steps[this.count++] = step;
  }

  /** The finished record, with the reason that decided. */
  because(reason: DecisionReason): Why {
    return { reason, tried: this.steps.slice(0, this.count), configRevision: this.configRevision };
  }
}
