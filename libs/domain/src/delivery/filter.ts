import type { ProblemDetail } from '@tocsin/contracts';
import { envelopeField, holds, readCondition, type CompiledCondition } from '../conditions/index.ts';
import type { CloudthinkerEnvelope } from './envelope.ts';
import type { OutboundEvent } from './plan.ts';

export type ReadFilter = { ok: true; condition: CompiledCondition } | { ok: false; problems: ProblemDetail[] };

/**
 * Reads the filter of a subscription: the condition grammar over the default envelope (`data.severity`, `type`, …), whatever form the
 * subscription's bodies have. A field that no envelope has is a problem here: the filter would silently take nothing.
 */
export function readFilter(document: unknown, path: string): ReadFilter {
  const read = readCondition(document, { incident: false, fieldOf: envelopeField });
  const at = ({ path: rest, code, message }: ProblemDetail): ProblemDetail => ({
    path: rest === '' ? path : `${path}.${rest}`,
    code,
    message:
      code === 'unknown-field'
        ? `${message}; fields of the envelope are type, id, timestamp, workspace_id and data.…`
        : message,
  });
  const problems = [...(read.ok ? [] : read.problems), ...read.warnings].map(at);
  return read.ok && problems.length === 0 ? { ok: true, condition: read.condition } : { ok: false, problems };
}

const DEFAULT_FORM = { key: 'cloudthinker', rendering: { envelope: 'cloudthinker' } } as const;

/** Each event is read once for all filters: what is looked at is what a receiver of the default envelope gets. */
export function filterReader(): (condition: CompiledCondition, event: OutboundEvent) => boolean {
  const read = new WeakMap<OutboundEvent, CloudthinkerEnvelope>();
  return (condition, event) => {
    let envelope = read.get(event);
    if (!envelope) {
      envelope = JSON.parse(event.render([...event.changed], DEFAULT_FORM).body) as CloudthinkerEnvelope;
      read.set(event, envelope);
    }
    return holds(condition, { alert: { envelope } });
  };
}
