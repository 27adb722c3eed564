import { decodeRecord } from '@tocsin/contracts';
import type { Stage } from '@tocsin/postgres';
import { storeChanges } from './change-store.ts';

/** Keeps recent changes, whoever said them: this service for people, the normalizer for builds and deployments. */
export const recordChangesStage = (): Stage<null> => ({
  load: () => Promise.resolve(null),

  async apply(tx, inputs) {
    const ours = inputs.filter(({ type }) => type === 'change.event.v1');
    const changes = new Map(
      ours.map((input) => decodeRecord('change.event.v1', input.value)).map((change) => [change.id, change]),
    );
    await storeChanges(tx, [...changes.values()]);
    return {
      verdicts: inputs.map(({ type }) =>
        type === 'change.event.v1' ? { kind: 'handled' } : { kind: 'skip', reason: 'not-for-this-service' },
      ),
      outputs: [],
    };
  },

  forget: () => undefined, // keeps no cache
});
