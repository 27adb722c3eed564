import { encodeFacts } from '@tocsin/contracts';
import { headerNames, type Source } from '@tocsin/event-log';
import type { Finding } from './isolate-poison.ts';
import type { Input, Output, Verdict } from './pipeline.ts';

const DETAIL_MAX = 1_000;

type Owner = { workspaceId: string | null; webhookId: string | null; receiptId: string | null };

/**
 * Who owns an input, so that an operator finds the dead letter: by its facts, or for a record of JSON by the record itself
 * (camelCase inside, snake_case on public topics). A broken record may say nothing.
 */
function ownerOf(input: Input): Owner {
  const facts = objectIn(input.headers[headerNames.facts] ?? '');
  const value = facts ? {} : (objectIn(input.value.toString('utf8')) ?? {});
  const said = (camel: string, snake: string): string | null => {
    const text = [facts?.[camel], value[camel], value[snake]].find((one) => typeof one === 'string');
    return typeof text === 'string' ? text : null;
  };
  return {
    workspaceId:
      said('workspaceId', 'workspace_id') ??
      input.headers['ce_tocsinworkspace'] ??
      said('tocsinworkspace', 'tocsinworkspace'), // a CloudEvent in structured mode
    webhookId: said('webhookId', 'webhook_id'),
    receiptId: said('receiptId', 'receipt_id'),
  };
}

function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined; // exactly that may be what is broken
  }
}

/** Whether this service is to read a record: one that was redriven is for the service that could not read it. */
export const isFor = (service: string, { headers }: Pick<Input, 'headers'>): boolean =>
  (headers[headerNames.for] ?? service) === service;

/** The dead letter of an input: its original bytes, and in the facts where it was, why, and which alerts of it. */
export function deadLetterOf(
  service: string,
  source: Source,
  now: Date,
  { input, reason, detail, parts }: Finding,
): Output {
  const facts = {
    service,
    topic: source.topic,
    partition: source.partition,
    offset: input.offset.toString(),
    reason,
    detail: detail.slice(0, DETAIL_MAX).toWellFormed(),
    at: now.toISOString(),
    ...ownerOf(input),
    ...(parts ? { parts } : {}),
    headers: input.headers,
  };
  const headers = { [headerNames.facts]: encodeFacts('dead.letter.v1', facts) };
  return {
    topic: 'dead-letters',
    key: input.key,
    type: 'dead.letter.v1',
    value: input.value,
    headers,
    by: { input: input.offset },
  };
}

/** Inputs that the stage itself declared dead. `originals`: what was read, before broken alerts were taken out. */
export function declaredDead(
  kept: readonly Input[],
  verdicts: readonly Verdict[],
  originals: readonly Input[],
): Finding[] {
  return verdicts.flatMap((verdict, index) => {
    if (verdict.kind !== 'dead-letter') return [];
    const input = originals.find(({ offset }) => offset === kept[index]!.offset)!;
    return {
      input,
      reason: verdict.reason,
      detail: verdict.detail,
      ...(verdict.parts ? { parts: verdict.parts } : {}),
    };
  });
}
