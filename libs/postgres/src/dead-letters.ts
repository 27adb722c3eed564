import { encodeFacts } from '@tocsin/contracts';
import { headerNames, type Source } from '@tocsin/event-log';
import type { Finding } from './isolate-poison.ts';
import type { Input, Output, Verdict } from './pipeline.ts';

const DETAIL_MAX = 1_000;

/** What the input's own facts say of its owner, so that an operator finds the dead letter; a broken record may say nothing. */
function ownerOf(input: Input): { workspaceId: string | null; webhookId: string | null; receiptId: string | null } {
  let facts: Record<string, unknown> = {};
  try {
    facts = JSON.parse(input.headers[headerNames.facts] ?? '{}') as Record<string, unknown>;
  } catch {
    // the facts themselves are what is broken
  }
  const text = (name: string): string | null => (typeof facts?.[name] === 'string' ? facts[name] : null);
  return { workspaceId: text('workspaceId'), webhookId: text('webhookId'), receiptId: text('receiptId') };
}

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
