import { describe, expect, it } from 'vitest';
import type { AlertDraft } from '../alert/index.ts';
import { Notes, severityOf, statusOf } from '../mapping/index.ts';
import { applyMapping, compileMapping, mapDraft, readMapping } from './index.ts';

function mapped(input: unknown, payload: unknown, over: Partial<AlertDraft> = {}, kind: 'alert' | 'build' = 'alert') {
  const read = readMapping(input);
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  const mapping = compileMapping(read.mapping);
  const notes = new Notes();
  const at = { element: payload, root: payload, index: 0 };
  const applied = applyMapping(mapping, at, { severityOf: (text) => severityOf(text, 'tocsin'), statusOf }, notes);
  const draft = {
    status: 'triggered',
    title: 'Theirs',
    severity: undefined,
    services: [],
    tags: ['theirs'],
    dedupKey: 'theirs',
    notes,
    ...over,
  };
  const result = mapDraft(draft as unknown as AlertDraft, mapping, applied, kind);
  const { dedupKeyFromMapping, customFields } = result;
  return { draft: result, dedupKeyFromMapping, customFields, notes: notes.all() };
}

describe('a mapping over what the connector read', () => {
  it('wins where it finds something, and is silent elsewhere', () => {
    const { draft, dedupKeyFromMapping } = mapped(
      { fields: { title: '$.t', tags: '$.none', dedup_key: '$.id' } },
      { t: 'Mine', id: 0 },
    );
    expect(draft).toMatchObject({ title: 'Mine', tags: ['theirs'], dedupKey: '0', status: 'triggered' });
    expect(dedupKeyFromMapping).toBe(true);
  });

  it('gives its defaults only where neither has a value', () => {
    const { draft, dedupKeyFromMapping } = mapped(
      { defaults: { title: 'D', severity: 'low', services: ['shop'], tags: ['d'] } },
      {},
    );
    expect(draft).toMatchObject({
      title: 'Theirs',
      severity: 'low',
      services: ['shop'],
      tags: ['theirs'],
      dedupKey: 'theirs',
    });
    expect(dedupKeyFromMapping).toBe(false);
  });

  it('replaces a status only by one that it can read, or by its default', () => {
    const fields = { status: '$.s' };
    expect(mapped({ fields }, { s: 'ok' }).draft.status).toBe('resolved');
    expect(mapped({ fields }, { s: 'purple' }).draft.status).toBe('triggered');
    expect(mapped({ fields, defaults: { status: 'update' } }, { s: 'purple' }).draft.status).toBe('update');
    expect(mapped({ defaults: { status: 'update' } }, {}).draft.status).toBe('triggered');
  });

  it('orders by a time that the connector knows, not by a mapped one', () => {
    const occurredAt = '2026-11-21T09:00:00.000Z';
    const theirs = { occurredAt, occurredAtOrders: true };
    const fields = { occurred_at: '$.started' };
    expect(mapped({ fields }, {}, theirs).draft).toMatchObject(theirs);
    expect(mapped({ fields }, { started: '2026-11-21T08:00:00Z' }, theirs).draft).toMatchObject({
      occurredAt: '2026-11-21T08:00:00.000Z',
      occurredAtOrders: false,
    });
  });

  it('notes a build without a service', () => {
    expect(mapped({}, {}, {}, 'build').notes).toEqual([{ code: 'service-missing', path: 'services' }]);
    expect(mapped({ defaults: { services: 'shop' } }, {}, {}, 'build').notes).toEqual([]);
    expect(mapped({}, {}).notes).toEqual([]);
  });

  it('keeps extracted fields beside the custom ones', () =>
    expect(
      mapped(
        { custom_fields: [{ name: 'a', type: 'number', path: '$.a' }], extracted_fields: [{ name: 'b', path: '$.b' }] },
        { a: '1', b: { c: [0] } },
      ).customFields,
    ).toEqual({ a: 1, b: { c: [0] } }));
});
