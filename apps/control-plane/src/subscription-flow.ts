import type { ConditionDocument } from '@tocsin/contracts';
import { readFilter } from '@tocsin/domain/delivery';
import { Problem } from '@tocsin/nest-shell';
import type { SubscriptionOptions } from './entities.ts';
import { isStorable } from './storable.ts';
import type { SubscriptionFlow } from './subscription-flow.dto.ts';

/** The options after a change; what is not given stays. @throws Problem for a filter that cannot be read */
export function appliedFlow(options: SubscriptionOptions, input: SubscriptionFlow): SubscriptionOptions {
  const given: SubscriptionOptions = {
    ...(input.delivery === undefined ? {} : { delivery: input.delivery }),
    ...(input.ordering === undefined ? {} : { ordering: input.ordering }),
    ...(input.retain_while_paused === undefined ? {} : { retainWhilePaused: input.retain_while_paused }),
    ...(input.max_in_flight === undefined ? {} : { maxInFlight: input.max_in_flight }),
    ...(input.max_per_second === undefined ? {} : { maxPerSecond: input.max_per_second }),
    ...(input.disable_after_days === undefined ? {} : { disableAfterDays: input.disable_after_days }),
  };
  if (input.filter === undefined) return { ...options, ...given };
  return { ...options, ...given, filter: input.filter === null ? null : checkedFilter(input.filter) };
}

function checkedFilter(filter: Record<string, unknown>): ConditionDocument {
  const read = readFilter(filter, 'filter');
  const problems = read.ok
    ? isStorable(filter)
      ? []
      : [{ path: 'filter', code: 'unstorable-text', message: 'must not contain U+0000 or half characters' }]
    : read.problems;
  const [first] = problems;
  if (!first) return filter as unknown as ConditionDocument;
  throw new Problem('validation-failed', `${first.path}: ${first.message}`, { errors: problems });
}

/** As `GET` shows them: what is absent has its default. */
export const flowView = (options: SubscriptionOptions) => ({
  filter: options.filter ?? null,
  delivery: options.delivery ?? 'push',
  ordering: options.ordering ?? 'incident',
  retain_while_paused: options.retainWhilePaused === true,
  max_in_flight: options.maxInFlight ?? null,
  max_per_second: options.maxPerSecond ?? null,
  disable_after_days: options.disableAfterDays ?? null,
});
