import { mintId, type WebhookDocument } from '@tocsin/contracts';
import { problemOf, type Problem } from '@tocsin/nest-shell';
import type { AcceptReceipt, Accepted, Arrival } from '../accept-receipt.ts';
import type { IntakeRules } from '../intake-rule.ts';
import { keptHeaders } from '../kept-headers.ts';
import type { RejectionLog } from '../rejection-log.ts';
import type { AnswersLog } from './answers-log.ts';
import type { FirstRefused } from './answer-tally.ts';
import type { Notices } from './notices.ts';
import { reasonOf } from './refused.ts';

/** Of a header that is only shown; the receipt itself keeps more. */
const SHOWN_CHARACTERS = 256;

export interface AnswerReportsParts {
  answers: AnswersLog;
  notices: Pick<Notices, 'overLimit'>;
  rejections: RejectionLog;
  rules: Pick<IntakeRules, 'of'>;
  /** Milliseconds since the epoch. */
  now: () => number;
  random: (bytes: number) => Buffer;
  clientOf: (arrival: Arrival) => string;
}

/** Notes what senders are answered: in the process's log and, for the owners of webhooks, on `webhook.outcomes`. */
export class AnswerReports {
  constructor(private readonly parts: AnswerReportsParts) {}

  /** The same, with a note of each refusal. */
  refusalsOf =
    (accept: AcceptReceipt): AcceptReceipt =>
    async (webhook, arrival) => {
      try {
        const accepted = await accept(webhook, arrival);
        if (accepted.headers !== undefined) this.parts.notices.overLimit(webhook, this.parts.now());
        return accepted;
      } catch (error) {
        this.refused(webhook, arrival, problemOf(error));
        throw error;
      }
    };

  /** `latencyMs`: from the whole request to its answer. */
  accepted(
    webhook: WebhookDocument,
    { receiptId, receivedAt }: Accepted,
    responseCode: number,
    latencyMs: number,
  ): void {
    const rounded = Math.round(latencyMs * 100) / 100;
    this.parts.answers.accepted(webhook, { receiptId, receivedAt, responseCode, latencyMs: rounded });
  }

  refused(webhook: WebhookDocument, arrival: Arrival, problem: Problem): void {
    const at = this.parts.now();
    const reason = reasonOf(problem);
    if (reason.startsWith('rate_limit_')) this.parts.notices.overLimit(webhook, at);
    this.parts.rejections.note({ webhookId: webhook.id, code: problem.code, reason }, at);
    const inFull = () => this.inFull(webhook, arrival, problem, at);
    this.parts.answers.refused(webhook, { at, problem: problem.code, reason, inFull });
  }

  private inFull(webhook: WebhookDocument, arrival: Arrival, problem: Problem, at: number): FirstRefused {
    return {
      requestId: mintId('req', this.parts.random(16)),
      at: new Date(at).toISOString(),
      responseCode: problem.status,
      method: arrival.method,
      sizeBytes: arrival.body.length,
      clientNetwork: this.parts.clientOf(arrival),
      headers: this.shownHeaders(webhook, arrival),
      detail: problem.detail,
    };
  }

  private shownHeaders(webhook: WebhookDocument, { rawHeaders }: Arrival): Record<string, string> {
    try {
      const kept = keptHeaders(rawHeaders, this.parts.rules.of(webhook).secretHeaders);
      return Object.fromEntries(Object.entries(kept).map(([name, value]) => [name, value.slice(0, SHOWN_CHARACTERS)]));
    } catch {
      return {}; // which of them carry a credential is not known while its rule cannot be read
    }
  }
}
