import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { waitFor } from '@tocsin/testing';
import { expect, it } from 'vitest';
import {
  drive,
  expectedOccurrences,
  firstOccurrences,
  Ground,
  inputsOf,
  insertStage,
  openLog,
  pipelineOf,
  recordsOn,
} from './kit.ts';

/** The bound is 15 s; a guard asserts ten times as much (settled, Tests). */
const GUARD_MS = 150_000;

it(
  'an owner stopped inside its transaction does not hold up the next one, and its commit fails when it wakes up',
  { timeout: GUARD_MS + 60_000 },
  async () => {
    const ground = await Ground.open();
    const log = await openLog();
    const program = fileURLToPath(new URL('./paused-owner.child.ts', import.meta.url));
    const child = spawn(
      process.execPath,
      ['--conditions=source', '--experimental-transform-types', '--no-warnings', program, ground.url],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    let said = '';
    child.stdout.on('data', (data: Buffer) => (said += data.toString()));
    const exited = once(child, 'exit');
    try {
      await waitFor(() => said.includes('inside\n'), { timeoutMs: 60_000 });
      child.kill('SIGSTOP');

      const next = pipelineOf(ground, log);
      const began = performance.now();
      await drive({ pipeline: next, inputs: inputsOf(20), stage: insertStage() });
      const took = performance.now() - began;
      process.stderr.write(`the next owner was held up for ${Math.round(took)} ms\n`);
      expect(took).toBeLessThan(GUARD_MS);
      expect(await ground.applied()).toHaveLength(20);

      child.stdin.write('go on\n');
      child.kill('SIGCONT');
      await exited;
      expect(JSON.parse(said.split('\n')[1]!)).toEqual({ kind: 'overtaken', next: 20 });
      expect(await ground.applied()).toEqual(inputsOf(20).map((_, n) => n));
      await next.flush();
      expect(firstOccurrences(await recordsOn(log, 'incident.events'))).toEqual(expectedOccurrences(20));
      await next.close();
    } finally {
      child.kill('SIGKILL');
      await exited;
      await log.close();
      await ground.close();
    }
  },
);
