import { decodeFacts } from '@tocsin/contracts';
import { describe, expect, it } from 'vitest';
import type { Input } from '../index.ts';
import { ground, log, useFreshGround } from './fresh-ground.ts';
import { anInput, insertStage, numberOf, oneBatch, openLog, pipelineOf, recordsOn } from './kit.ts';

useFreshGround();

const redrivenFor = (offset: number, service: string, mark: Input['mark']): Input => {
  const input = anInput(offset);
  return { ...input, headers: { ...input.headers, for: service }, ...(mark ? { mark } : {}) };
};

describe('a redriven record', () => {
  it('is read by the service that it names and passed over by the others', async () => {
    const pipeline = pipelineOf(ground, log);
    const inputs = [
      anInput(0),
      redrivenFor(1, 'somebody-else', undefined),
      redrivenFor(2, await serviceOf(), undefined),
    ];
    expect(await oneBatch(pipeline, inputs, insertStage())).toEqual({ kind: 'committed', next: 3n });
    expect(await ground.applied()).toEqual([0, 2]);
    await pipeline.close();
  });

  it('that is published twice is applied once, by the mark that its letter gave it', async () => {
    const pipeline = pipelineOf(ground, log);
    const mark = { origin: 'dlt_one', offset: 1n, ordinal: 0 };
    const service = await serviceOf();
    await oneBatch(pipeline, [redrivenFor(0, service, mark)], insertStage());
    await oneBatch(pipeline, [redrivenFor(1, service, mark)], insertStage());
    expect(await ground.applied()).toEqual([0]);
    await pipeline.close();
  });
});

/** What the kit calls the service of its pipelines: a dead letter of it says so. */
async function serviceOf(): Promise<string> {
  const [letter] = await lettersOf(anInput(90, { value: Buffer.from('{"n":90}') }));
  return letter!.service;
}

async function lettersOf(input: Input) {
  const other = await openLog();
  const pipeline = pipelineOf(ground, other);
  const stage = insertStage(0, (one) => (numberOf(one) === Number(input.offset) ? 'nul \0 byte' : 'ok'));
  const of = { group: 'letters', topic: 'alert.correlated' as const, partition: Number(input.offset) % 12 };
  await oneBatch(pipeline, [input], stage, of);
  await pipeline.flush();
  const letters = (await recordsOn(other, 'dead-letters')).map(({ headers }) =>
    decodeFacts('dead.letter.v1', headers['facts'] ?? ''),
  );
  await pipeline.close();
  await other.close();
  return letters;
}

describe('a dead letter', () => {
  it('carries the headers of its record, so that it can be put back', async () => {
    const input = anInput(91);
    expect(await lettersOf(input)).toMatchObject([{ headers: input.headers }]);
  });

  it.each([
    ['inside', { n: 92, workspaceId: 'ws_one', webhookId: 'whk_one', receiptId: 'rcv_one' }, {}],
    ['on public topics', { n: 92, workspace_id: 'ws_one', webhook_id: 'whk_one', receipt_id: 'rcv_one' }, {}],
    ['in facts', { n: 92 }, { facts: '{"workspaceId":"ws_one","webhookId":"whk_one","receiptId":"rcv_one"}' }],
  ])('says whose it is, as records say it %s', async (_where, value, headers) => {
    const input = anInput(92, { value: Buffer.from(JSON.stringify(value)) });
    expect(await lettersOf({ ...input, headers: { ...input.headers, ...headers } })).toMatchObject([
      { workspaceId: 'ws_one', webhookId: 'whk_one', receiptId: 'rcv_one' },
    ]);
  });
});
