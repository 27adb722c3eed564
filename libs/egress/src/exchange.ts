import type { Dispatcher } from 'undici';

/** What is known of an answer, whole or as much of it as there will be. */
export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
  /** There was more, or it did not come in time. */
  truncated: boolean;
}

export interface ExchangeBounds {
  /** From here to the response headers. */
  headersMs: number;
  /** … and from these to the end of the body. */
  bodyMs: number;
  /** Bytes of the body that are kept. */
  bodyMax: number;
}

const timeoutError = (): Error =>
  Object.assign(new Error('no response headers in time'), { code: 'OUTBOUND_RESPONSE_TIMEOUT' });
const enough = new Error('the rest of the body is not read');

/**
 * One request and its answer, as undici's connection tells of them. Its own streams and signals cost more than the rest of a request, and
 * all that is wanted of a body is its beginning.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  /** Rejects with why there is no answer. What goes wrong after the headers changes nothing: the status has been said. */
  readonly answered: Promise<Answer>;
  private settle!: { resolve: (answer: Answer) => void; reject: (error: Error) => void };
  private controller: Dispatcher.DispatchController | undefined;
  private ended: Error | undefined;
  private head: Pick<Answer, 'status' | 'headers'> | undefined;
  private readonly chunks: Buffer[] = [];
  private size = 0;
  private timer: NodeJS.Timeout;

  constructor(private readonly bounds: ExchangeBounds) {
    this.answered = new Promise((resolve, reject) => (this.settle = { resolve, reject }));
    this.timer = setTimeout(() => this.end(timeoutError()), bounds.headersMs);
  }

  /** Ends it, wherever it is. */
  end(reason: Error): void {
    this.ended ??= reason;
    this.controller?.abort(this.ended);
    if (this.head) this.answer(true);
    else this.fail(this.ended);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    if (this.ended) controller.abort(this.ended);
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: Answer['headers']): void {
    if (status < 200) return;
    this.head = { status, headers };
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.end(enough), this.bounds.bodyMs);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.chunks.push(chunk);
    this.size += chunk.length;
    if (this.size > this.bounds.bodyMax) this.end(enough); // and with it the connection
  }

  onResponseEnd(): void {
    this.answer(false);
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    if (this.head) this.answer(true);
    else this.fail(this.ended ?? error);
  }

  private answer(truncated: boolean): void {
    clearTimeout(this.timer);
    if (!this.head) return;
    const body = Buffer.concat(this.chunks).subarray(0, this.bounds.bodyMax);
    this.settle.resolve({ ...this.head, body, truncated });
  }

  private fail(error: Error): void {
    clearTimeout(this.timer);
    this.settle.reject(error);
  }
}
