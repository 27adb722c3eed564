import { connectorOf, type Normalization } from '@tocsin/connectors';
import { alertIdOf, type ReceiptFacts } from '@tocsin/contracts';
import { describe, expect, it } from 'vitest';
import { onlyParts } from './only-parts.ts';

const receiptId = 'rcv_one';
const facts = (only?: number[]): ReceiptFacts => ({
  ...{ receiptId, workspaceId: 'ws_a', webhookId: 'whk_a', connector: 'generic', configRevision: 1 },
  ...{ receivedAt: '2026-11-21T09:00:00.000Z', method: 'POST', query: '', contentType: 'application/json' },
  ...{ headers: {}, waiting: false, ...(only ? { only } : {}) },
});
const read = (connector: string, payload: unknown): Normalization =>
  connectorOf(connector)!.normalize(
    { bytes: Buffer.from(JSON.stringify(payload)), contentType: 'application/json' },
    {
      ...{ receiptId, workspaceId: 'ws_a', webhookId: 'whk_a', receivedAt: '2026-11-21T09:00:00.000Z' },
      ...{ configRevision: 1, defaultSeverity: 'medium', severityProfile: 'tocsin', notes: [] },
    },
  );
const list = [{ title: 'A' }, { title: 'B' }, 7, { title: 'D' }];

describe('a receipt that is read again for some of its elements', () => {
  it('gives these alerts only, under the ids that they would have had at first', () => {
    const result = onlyParts(read('generic', list), facts([1]));
    expect(result).toMatchObject({ kind: 'alerts', total: 4, omitted: [] });
    expect(result.kind === 'alerts' && result.alerts.map(({ id, title }) => [id, title])).toEqual([
      [alertIdOf(receiptId, 1), 'B'],
    ]);
  });

  it('gives them again as dead where nothing has changed, and does not redo their siblings', () =>
    expect(onlyParts(read('generic', list), facts([2]))).toMatchObject({
      kind: 'alerts',
      alerts: [],
      omitted: [{ index: 2, outcome: 'dead-lettered' }],
    }));

  it('stays a matter of these elements where the payload as a whole cannot be read now', () =>
    expect(onlyParts(read('prometheus', list), facts([1, 3]))).toEqual({
      kind: 'alerts',
      total: 4,
      alerts: [],
      omitted: [1, 3].map((index) => ({
        index,
        outcome: 'dead-lettered',
        reason: 'unrecognised-payload',
        detail: expect.any(String),
      })),
      changes: [],
    }));

  it('stays a matter of these elements where all of the payload is ignored now', () =>
    expect(onlyParts({ kind: 'ignored', reason: 'note', detail: 'x', changes: [] }, facts([0]))).toMatchObject({
      kind: 'alerts',
      total: 1,
      omitted: [{ index: 0, outcome: 'ignored', reason: 'note' }],
    }));

  it('is all of it where nothing is named', () => {
    const result = read('generic', list);
    expect(onlyParts(result, facts())).toBe(result);
  });
});
