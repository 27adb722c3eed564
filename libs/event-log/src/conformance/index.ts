import { afterEach, describe, it } from 'vitest';
import { deliveryCases } from './delivery-cases.ts';
import { groupCases } from './group-cases.ts';
import { logCases } from './log-cases.ts';
import { positionCases } from './position-cases.ts';
import type { ConformanceCase, Target } from './recorder.ts';

export type { ConformanceCase, Target } from './recorder.ts';
export { suiteTopics, waitAtMost } from './recorder.ts';
export { faults, faulty, type Fault } from './faulty.ts';

export interface Capabilities {
  /** Records outlive the process: `reopen` is there. */
  durable: boolean;
}

export const conformanceCases: ConformanceCase[] = [...logCases, ...deliveryCases, ...positionCases, ...groupCases];

/** Registers the suite that every driver of the event log has to pass. `factory` answers a fresh log with the suite's topics. */
export function conformance(name: string, factory: () => Promise<Target>, capabilities: Capabilities): void {
  describe(`${name} conforms to the port: it`, () => {
    let target: Target | undefined;
    afterEach(async () => {
      await target?.end();
      target = undefined;
    });
    for (const { name: rule, durable, run } of conformanceCases)
      if (!durable || capabilities.durable)
        it(rule, async () => {
          target = await factory();
          await run(target);
        });
  });
}
