import type { EventLog } from '@tocsin/event-log';
import { describe, expect, it } from 'vitest';
import { Pieces } from '../bind-message.ts';
import { packed } from '../outbox-pack.ts';
import { ground, log, useFreshGround } from './fresh-ground.ts';
import { insertStage, oneBatch, inputsOf, pipelineOf, recordsOn, SCHEMA } from './kit.ts';

useFreshGround();

describe.each(['per-partition', 'single'] as const)('rows that another process has left (%s)', (publisher) => {
  it('leave in their order and whole, also those of releases before', async () => {
    const value = (text: string) => Buffer.from(text);
    const lane = publisher === 'single' ? 'service' : 'alert.correlated/0';
    await ground.pool.query(
      `insert into ${SCHEMA}.outbox (lane, topic, key, headers, value) values ($1, 'incident.events', 'k', $2, $3)`,
      [lane, { type: 'old.v1', mark: 'old;1;0' }, value('an old row')],
    );
    const oneBehindTheOther = ['first', 'second'].map((text, index) => {
      const names = JSON.stringify(['incident.events', 'k', { type: 'packed.v1', mark: `packed;${index};0` }]);
      const lengths = Buffer.alloc(8);
      lengths.writeUInt32BE(names.length, 0);
      lengths.writeUInt32BE(text.length, 4);
      return Buffer.concat([lengths, value(names), value(text)]);
    });
    const { packs, heads, values } = packed(
      ['third', 'fourth'].map((text, index) => ({
        ...{ topic: 'incident.events' as const, key: 'k', value: value(text) },
        headers: { type: 'new.v1', mark: `new;${index};0` },
      })),
    );
    expect(packs).toHaveLength(1);
    for (const row of [oneBehindTheOther, [heads, ...(values instanceof Pieces ? values.parts : [values])]])
      await ground.pool.query(`insert into ${SCHEMA}.outbox (lane, topic, value) values ($1, $2, $3)`, [
        ...[lane, packs[0]?.topics],
        Buffer.concat(row),
      ]);
    const pipeline = pipelineOf(ground, log, { publisher });
    await pipeline.flush();
    const read = await recordsOn(log, 'incident.events');
    expect(read.map((record) => [record.value.toString(), record.headers['type'], record.key])).toEqual([
      ['an old row', 'old.v1', 'k'],
      ['first', 'packed.v1', 'k'],
      ['second', 'packed.v1', 'k'],
      ['third', 'new.v1', 'k'],
      ['fourth', 'new.v1', 'k'],
    ]);
    expect(await ground.rows(`select from ${SCHEMA}.outbox`)).toHaveLength(0);
    await pipeline.close();
  });
});

describe('outputs of one transaction', () => {
  it('take as many rows as they fill pages', async () => {
    const away = { ...log, append: () => Promise.reject(new Error('no broker')) } as unknown as EventLog;
    const pipeline = pipelineOf(ground, Object.assign(Object.create(log) as EventLog, { append: away.append }));
    expect(await oneBatch(pipeline, inputsOf(200), insertStage())).toMatchObject({ kind: 'committed' });
    const rows = await ground.rows<{ n: number; topic: string; bytes: number }>(
      `select count(*)::int as n, min(topic) as topic, max(octet_length(value)) as bytes from ${SCHEMA}.outbox`,
    );
    expect(rows[0]?.topic).toBe('incident.events');
    expect(rows[0]?.n).toBeGreaterThan(1);
    expect(rows[0]?.n).toBeLessThan(10);
    expect(rows[0]?.bytes).toBeLessThan(8_000);
    await pipeline.close();
  });
});
