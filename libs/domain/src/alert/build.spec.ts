import { createHash } from 'node:crypto';
import { alertIdOf } from '@tocsin/contracts';
import { describe, expect, it } from 'vitest';
import { Notes } from '../mapping/index.ts';
import { type AlertContext, type AlertDraft, buildAlert } from './build.ts';
import { DEFAULT_RECIPE, type KeyRecipe, recipeProblems } from './recipe.ts';

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
    expect(build({ severity: undefined }).dedupKey).toBe(sha256('Disk fullmediumwhk_a')));

  it('belongs to its webhook', () =>
    expect(buildAlert(draft(), { ...context, webhookId: 'whk_b' }, 0).resolveKey).toBe(sha256('Disk fullwhk_b')));
});

describe('a recipe of the webhook', () => {
  const by = (dedup: KeyRecipe, over: Partial<AlertDraft> = {}) => buildAlert(draft(over), { ...context, dedup }, 0);

  it('without severity keeps the form of the default one', () => {
    const recipe = ['title', 'connection_id'];
    expect(by({ recipe })).toMatchObject({ dedupKey: sha256('Disk fullwhk_a'), resolveKey: sha256('Disk fullwhk_a') });
    expect(by({ recipe }, { severity: 'low' }).dedupKey).toBe(by({ recipe }).dedupKey);
    expect(by({ recipe: [...DEFAULT_RECIPE] })).toEqual(build());
  });

  it('names its values, so that none runs into the next', () => {
    const recipe = ['source', 'services', 'custom_fields.host', 'severity'];
    const one = by({ recipe }, { source: 'ab', services: ['x', 'y'], customFields: { host: 'c' } });
    expect(by({ recipe }, { source: 'a', services: ['x', 'y'], customFields: { host: 'bc' } }).dedupKey).not.toBe(
      one.dedupKey,
    );
    const other = { source: 'ab', services: ['y', 'x'], customFields: { host: 'c' }, severity: 'low' } as const;
    expect(by({ recipe }, other).resolveKey).toBe(one.resolveKey); // services have no order, a resolve no severity
    expect(by({ recipe }, other).dedupKey).not.toBe(one.dedupKey);
  });

  it('gives way to a key of the source, unless the webhook wants the recipe alone', () => {
    expect(by({ recipe: ['title'] }, { dedupKey: '7' })).toMatchObject({ dedupKey: '7', dedupKeyOrigin: 'connector' });
    expect(by({ key: 'recipe' }, { dedupKey: '7' })).toMatchObject({
      ...{ dedupKey: build().dedupKey, dedupKeyOrigin: 'recipe', resolveKey: build().resolveKey },
    });
  });

  it.each([
    [[], 'empty-recipe', ''],
    [['title', 'titel'], 'unknown-field', '[1]'],
    [['title', 'title'], 'duplicate', '[1]'],
    [['status'], 'not-in-recipes', '[0]'],
    [Array.from({ length: 11 }, (_, index) => `metadata.f${index}`), 'too-many-fields', ''],
  ])('%j is refused: %s', (recipe, code, path) => expect(recipeProblems(recipe)).toMatchObject([{ code, path }]));

  it('may name any field that says what is wrong', () =>
    expect(recipeProblems(['connection_id', 'tags', 'metadata.labels.job', 'description', 'url'])).toEqual([]));
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

  it('has the end that its source states, where that is still to come', () => {
    expect(build()).not.toHaveProperty('endsAt');
    expect(build({ endsAt: '2026-11-21T09:04:00.000Z' }).endsAt).toBe('2026-11-21T09:04:00.000Z');
    expect(build({ endsAt: context.receivedAt })).not.toHaveProperty('endsAt');
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
