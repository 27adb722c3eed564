import { createHash } from 'node:crypto';
import { alertIdOf } from '@tocsin/contracts';
import { describe, expect, it } from 'vitest';
import { Notes } from '../mapping/index.ts';
import { type AlertContext, type AlertDraft, buildAlert, recipeKeyOf, recipeResolveKeyOf } from './build.ts';

const context: AlertContext = {
  receiptId: 'rcv_a',
  workspaceId: 'ws_a',
  webhookId: 'whk_a',
  connector: 'generic',
  connectorTitle: 'Generic',
  kind: 'alert',
  receivedAt: '2026-11-21T09:00:00.000Z',
  configRevision: 7,
  defaultSeverity: 'medium',
};
const draft = (over: Partial<AlertDraft> = {}): AlertDraft => ({
  status: 'triggered',
  severity: 'high',
  title: 'Disk full',
  description: undefined,
  services: [],
  tags: [],
  source: undefined,
  url: undefined,
  occurredAt: undefined,
  occurredAtOrders: true,
  dedupKey: undefined,
  firingKey: undefined,
  incidentType: undefined,
  fields: {},
  notes: new Notes(),
  ...over,
});
const build = (over: Partial<AlertDraft> = {}, index = 0) => buildAlert(draft(over), context, index);
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

describe('an alert without a key of its source', () => {
  it('has the recipe as its key, and a resolve key that knows no severity', () => {
    expect(build()).toMatchObject({
      dedupKey: sha256('Disk fullhighwhk_a'),
      dedupKeyOrigin: 'recipe',
      resolveKey: sha256('Disk fullwhk_a'),
    });
    expect(build({ severity: 'info', status: 'resolved' }).resolveKey).toBe(build().resolveKey);
    expect(build({ severity: 'info' }).dedupKey).not.toBe(build().dedupKey);
  });

  it('uses the severity as mapped, the default included', () =>
    expect(build({ severity: undefined }).dedupKey).toBe(recipeKeyOf('Disk full', 'medium', 'whk_a')));

  it('belongs to its webhook', () =>
    expect(recipeResolveKeyOf('t', 'whk_a')).not.toBe(recipeResolveKeyOf('t', 'whk_b')));
});

describe('an alert with a key of its source', () => {
  it('dedups and resolves by it', () =>
    expect(build({ dedupKey: '0' })).toMatchObject({ dedupKey: '0', resolveKey: '0', dedupKeyOrigin: 'connector' }));

  it('hashes a key that is too long for an index, with a note', () => {
    const long = build({ dedupKey: 'k'.repeat(600) });
    expect(long.dedupKey).toBe(`sha256:${sha256('k'.repeat(600))}`);
    expect(long.notes).toEqual([{ code: 'dedup-key-hashed', path: 'dedupKey', detail: '600 characters' }]);
  });
});

describe('the time of an alert', () => {
  it('is kept where it lies before the receipt', () =>
    expect(build({ occurredAt: '2026-11-21T08:00:00.000Z' })).toMatchObject({
      occurredAt: '2026-11-21T08:00:00.000Z',
      occurredAtOrders: true,
      notes: [],
    }));

  it('is clamped to the receipt where a clock runs ahead, with a note', () =>
    expect(build({ occurredAt: '2027-01-01T00:00:00.000Z' })).toMatchObject({
      occurredAt: context.receivedAt,
      notes: [{ code: 'time-clamped', detail: '2027-01-01T00:00:00.000Z' }],
    }));

  it('has the time of the change beside it only where the source has one, and never after the receipt', () => {
    expect(build()).not.toHaveProperty('changedAt');
    expect(build({ changedAt: '2026-11-21T08:30:00.000Z' }).changedAt).toBe('2026-11-21T08:30:00.000Z');
    expect(build({ changedAt: '2027-01-01T00:00:00.000Z' }).changedAt).toBe(context.receivedAt);
  });

  it('orders nothing where there is none', () =>
    expect(build()).toMatchObject({ occurredAt: null, occurredAtOrders: false }));
});

it('an alert is identified by its receipt and its place before any filter', () => {
  expect(build({}, 5)).toMatchObject({ id: alertIdOf('rcv_a', 5), index: 5, scope: 'ws_a', configRevision: 7 });
});

it('an alert without a title says so, with a note', () =>
  expect(build({ title: undefined })).toMatchObject({
    title: 'Generic alert without a title',
    notes: [{ code: 'title-missing', path: 'title' }],
  }));
