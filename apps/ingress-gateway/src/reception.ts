import type { WebhookDocument } from '@tocsin/contracts';
import { problemOf } from '@tocsin/nest-shell';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Arrival } from './accept-receipt.ts';
import { acceptedAnswer, outcomeAnswer, type Answer } from './answers.ts';
import type { Ingress } from './ingress.ts';
import type { Waiting } from './waiting-room.ts';

const NO_BODY = Buffer.alloc(0);

/** The untouched bytes that the shell hands over; a request without a body has none. */
export const bodyOf = (request: FastifyRequest): Buffer => (Buffer.isBuffer(request.body) ? request.body : NO_BODY);

export const bodyBytesOf = (request: FastifyRequest): number => bodyOf(request).length;

const arrivalOf = (request: FastifyRequest): Arrival => ({
  method: request.method,
  target: request.url,
  headers: request.raw.headers,
  rawHeaders: request.raw.rawHeaders,
  body: bodyOf(request),
  peer: request.raw.socket.remoteAddress,
});

export interface Exchange {
  request: FastifyRequest;
  reply: FastifyReply;
  /** What the sender is told as soon as its receipt is durable, at addresses that speak another API's language; nobody waits there. */
  atOnce?: (receiptId: string) => Answer;
}

/** A check of a known webhook's request that comes before everything else; a refusal is noted as any other. */
export async function checkFirst(
  ingress: Ingress,
  webhook: WebhookDocument,
  request: FastifyRequest,
  check: () => void | Promise<void>,
): Promise<void> {
  try {
    await check();
  } catch (error) {
    ingress.answers.reports.refused(webhook, arrivalOf(request), problemOf(error));
    throw error;
  }
}

/** From an HTTP request for a known webhook to its answer; all addresses share it. */
export async function receive(
  ingress: Ingress,
  webhook: WebhookDocument,
  { request, reply, atOnce }: Exchange,
): Promise<void> {
  const began = performance.now();
  const arrival = arrivalOf(request);
  if (atOnce) arrival.headers = { ...arrival.headers, prefer: 'respond-async' };
  const accepted = await ingress.accept(webhook, arrival);
  const { receiptId, waiting } = accepted;
  // Durable: from here on nobody needs the bytes, and a waiting sender must not hold a mebibyte.
  request.body = undefined;
  const { reports } = ingress.answers;
  let answer: Answer;
  try {
    answer = waiting ? await outcomeOf(receiptId, waiting, reply) : (atOnce ?? acceptedAnswer)(receiptId);
  } catch (error) {
    reports.accepted(webhook, accepted, problemOf(error).status, performance.now() - began);
    throw error;
  }
  reports.accepted(webhook, accepted, answer.status, performance.now() - began);
  if (accepted.headers) reply.headers(accepted.headers);
  // A kept-alive connection would hold up a shutdown until its client goes.
  if (ingress.room.isClosed()) reply.header('connection', 'close');
  send(reply, answer);
}

async function outcomeOf(receiptId: string, waiting: Waiting, reply: FastifyReply): Promise<Answer> {
  reply.raw.once('close', waiting.leave);
  const outcome = await waiting.outcome;
  reply.raw.off('close', waiting.leave);
  return outcome ? outcomeAnswer(outcome) : acceptedAnswer(receiptId);
}

function send(reply: FastifyReply, { status, body }: Answer): void {
  if (reply.raw.destroyed) return; // the sender went while it waited
  void reply.code(status).header('content-type', 'application/json; charset=utf-8').send(body);
}
