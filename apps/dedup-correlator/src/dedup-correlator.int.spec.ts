import { decodeRecord, encodeRecord, topics, type NormalizedAlert } from '@tocsin/contracts';
import { openJournal } from '@tocsin/event-log/journal';
import { StaticConfigurationFeed } from '@tocsin/nest-shell';
import { createPipeline, createPools } from '@tocsin/postgres';
import { testDatabase, waitFor } from '@tocsin/testing';
import { expect, it } from 'vitest';
import { correlateStage } from './correlate-batch.ts';
import { WebhookRules } from './webhook-rules.ts';

const at = '2026-11-21T09:00:00.000Z';
const anAlert = (id: string, receiptId: string): NormalizedAlert => ({
  id,
  index: 0,
  receiptId,
  workspaceId: 'ws_a',
  webhookId: 'whk_a',
  connector: 'generic',
  kind: 'alert',
  status: 'triggered',
  severity: 'high',
  title: 'x',
  description: '',
  services: [],
  tags: [],
  source: null,
  url: null,
  occurredAt: null,
  occurredAtOrders: false,
  receivedAt: at,
  dedupKey: 'k',
  dedupKeyOrigin: 'connector',
  resolveKey: 'k',
  firingKey: null,
  scope: 'ws_a',
  incidentType: null,
  customFields: {},
  fields: {},
  configRevision: 0,
  notes: [],
});

it('answers on alert.correlated what it hears on correlation.inputs, each alert once, also after a restart', async () => {
  const database = await testDatabase({
    migrations: [{ schema: 'dedup_correlator', directory: new URL('./migrations/', import.meta.url) }],
  });
  const pools = createPools({ connectionString: database.url, applicationName: 'dedup-correlator.int.spec' });
  const log = await openJournal();
  await log.ensureTopics(topics);
  const answers: string[] = [];
  await log.consume({ topic: 'alert.correlated', group: 'probe', mode: 'group' }, (batch) => {
    for (const { value } of batch.records)
      answers.push(
        ...decodeRecord('alerts.correlated.v1', value).alerts.map(
          ({ alert, decision }) => `${alert.id} ${decision.kind}`,
        ),
      );
    return Promise.resolve({ kind: 'committed', next: (batch.records.at(-1)?.offset ?? 0n) + 1n });
  });
  const run = async (alert: NormalizedAlert): Promise<void> => {
    const pipeline = createPipeline({
      pool: pools.pipeline,
      schema: 'dedup_correlator',
      service: 'dedup-correlator',
      log,
      now: () => new Date(at),
      publisher: 'per-partition',
    });
    const stage = correlateStage(new WebhookRules(new StaticConfigurationFeed()));
    const before = answers.length;
    const consumer = await log.consume(
      { topic: 'correlation.inputs', group: 'dedup-correlator', mode: 'group', onAssigned: pipeline.assigned },
      (batch) =>
        pipeline.commitBatch(
          { ...batch, inputs: batch.records.map((record) => ({ ...record, type: record.headers['type'] ?? '' })) },
          stage,
        ),
    );
    const { receiptId } = alert;
    const value = encodeRecord('alerts.normalized.v1', {
      receiptId,
      workspaceId: 'ws_a',
      webhookId: 'whk_a',
      scope: 'ws_a',
      receivedAt: at,
      receiptTotal: 1,
      alerts: [alert],
    });
    await log.append([{ topic: 'correlation.inputs', key: 'ws_a', value, headers: { type: 'alerts.normalized.v1' } }]);
    await waitFor(() => answers.length > before);
    await consumer.close();
    await pipeline.close();
  };
  await run(anAlert('alr_a', 'rcv_a'));
  await run(anAlert('alr_b', 'rcv_b'));
  await run(anAlert('alr_a', 'rcv_a'));
  expect(answers).toEqual(['alr_a opened', 'alr_b deduplicated', 'alr_a skipped']);
  await log.close();
  await pools.close();
  await database.drop();
});
