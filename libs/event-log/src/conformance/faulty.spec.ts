import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openJournal } from '../journal/index.ts';
import { conformanceCases, type Fault, faults, faulty, suiteTopics, type Target, waitAtMost } from './index.ts';

waitAtMost(1_500);

/** A sound journal with one fault on top. */
async function broken(fault: Fault): Promise<Target> {
  const directory = await mkdtemp(join(tmpdir(), 'tocsin-faulty-'));
  let sound = await openJournal({ directory });
  await sound.ensureTopics(suiteTopics);
  const log = faulty(sound, fault);
  return {
    log,
    another: () => Promise.resolve(log),
    reopen: async () => {
      await sound.close();
      sound = await openJournal({ directory });
      return fault.reopened ? fault.reopened(sound) : sound;
    },
    end: async () => {
      await sound.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

describe('the conformance suite', () => {
  it('has a fault for every case', () => {
    expect(Object.keys(faults).sort()).toEqual(conformanceCases.map(({ name }) => name).sort());
  });

  for (const { name, run } of conformanceCases)
    it.concurrent(`finds a log that breaks the rule: it ${name}`, async () => {
      const target = await broken(faults[name]!);
      try {
        await expect(run(target)).rejects.toThrow();
      } finally {
        await target.end();
      }
    });
});
