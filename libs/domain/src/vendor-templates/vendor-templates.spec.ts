import { eventTypeNames, eventTypeOf, type EventTypeName } from '@tocsin/contracts';
import fc from 'fast-check';
import { Compile } from 'typebox/compile';
import { describe, expect, it } from 'vitest';
import { bodyOf, checkCustomHeaders } from '../delivery/index.ts';
import {
  checkParameters,
  isOwnOrigin,
  SECRET_MASK,
  secretNames,
  shownUrl,
  supportedEventsOf,
  supportsEvent,
  vendorTemplateNames,
  vendorTemplateOf,
  vendorTemplates,
  type Parameters,
  type TemplateEvent,
  type VendorTemplate,
} from './index.ts';
import { vendorFormats } from './spec/vendor-formats.ts';

const formats = new Map(Object.entries(vendorFormats).map(([name, schema]) => [name, Compile(schema)]));
const formatOf = (name: string) => formats.get(name)!;

const given = (template: VendorTemplate, all = true): Record<string, unknown> =>
  Object.fromEntries(
    template.parameters
      .filter(({ name, required }) => all || required || name === 'email')
      .map(({ name, example }) => [name, example]),
  );
function parametersOf(template: VendorTemplate, values = given(template)): Parameters {
  const checked = checkParameters(template, values, 'template.parameters');
  if (!checked.ok) throw new Error(JSON.stringify(checked.problems));
  return checked.parameters;
}
/** What the body is made from: everything but secrets. */
const open = (template: VendorTemplate, values?: Record<string, unknown>): Parameters =>
  Object.fromEntries(
    Object.entries(parametersOf(template, values)).filter(([name]) => !secretNames(template).includes(name)),
  );
const eventOf = (type: string, data: Record<string, unknown>): TemplateEvent => ({
  ...{ id: 'evt_aaaaaaaaaaaaaaaaaaaaaaaaaa', type, timestamp: '2026-01-15T10:30:00.000Z', workspace_id: 'ws_1', data },
});
const exampleOf = (type: EventTypeName): TemplateEvent => eventOf(type, { ...eventTypeOf(type).example });
const wrongWith = (name: string, body: unknown) =>
  [...formatOf(name).Errors(JSON.parse(bodyOf(body)))].map((error) => JSON.stringify(error));

const each = vendorTemplates.map((template) => [template.name, template] as const);

it('has the ten templates of the product, each with a format to be held against', () => {
  expect(vendorTemplateNames).toEqual([
    ...[
      'slack',
      'teams',
      'google-chat',
      'discord',
      'telegram',
      'jira',
      'servicenow',
      'pagerduty',
      'github-dispatch',
      'raw',
    ],
  ]);
  expect(Object.keys(vendorFormats).sort()).toEqual([...vendorTemplateNames].sort());
});

describe.each(each)('%s', (name, template) => {
  it('sends what the vendor takes, for every event that it can say', () => {
    for (const type of supportedEventsOf(template))
      for (const parameters of [open(template), open(template, given(template, false))])
        expect([type, wrongWith(name, template.body(exampleOf(type), parameters))]).toEqual([type, []]);
  });

  it('sends what the vendor takes whatever an event holds', () => {
    const word = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'grapheme-composite', maxLength: 300 }),
      fc.constantFrom(
        '<!channel>',
        '@everyone',
        '<users/all>',
        '](javascript:alert(1))',
        '</b><a href="x">',
        '\r\nX-Evil: 1',
        '&amp;',
        '{{secret}}',
      ),
      fc.integer({ min: 1_000, max: 40_000 }).map((length) => '&<>*_"\\'.repeat(length / 7)),
      fc.constantFrom('\ud800', 'constructor', '__proto__'),
    );
    const value = fc.oneof(
      word,
      fc.constant(null),
      fc.integer(),
      fc.boolean(),
      fc.array(word, { maxLength: 5 }),
      fc.dictionary(word, word, { maxKeys: 3 }),
    );
    const fields = [
      'title',
      'description',
      'severity',
      'status',
      'services',
      'url',
      'source',
      'assignee',
      'id',
      'number',
      'name',
      'custom_fields',
      'comment',
    ];
    const data = fc.dictionary(fc.constantFrom(...fields), value);
    fc.assert(
      fc.property(fc.constantFrom(...supportedEventsOf(template)), data, (type, changes) => {
        const example = eventTypeOf(type).example;
        const kept =
          typeof changes['id'] === 'string' && changes['id'].trim() !== '' ? {} : { id: example['id'] ?? 'x' };
        expect(
          wrongWith(name, template.body(eventOf(type, { ...example, ...changes, ...kept }), open(template))),
        ).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  it('goes to an https address with headers that can be sent', () => {
    const { url, headers } = template.target(parametersOf(template));
    expect(new URL(url).protocol).toBe('https:');
    expect(checkCustomHeaders(Object.entries(headers).map(([key, value]) => ({ name: key, value })))).toBeUndefined();
  });

  it('shows its address without its secrets', () => {
    const parameters = parametersOf(template);
    const shown = shownUrl(template, parameters);
    for (const secret of secretNames(template).map((one) => String(parameters[one])))
      expect(shown).not.toContain(secret);
    expect(new URL(shown).origin).toBe(new URL(template.target(parameters).url).origin);
  });

  it('has no secret in its body', () => {
    const parameters = parametersOf(template);
    const body = JSON.stringify(
      supportedEventsOf(template).map((type) => template.body(exampleOf(type), open(template))),
    );
    for (const secret of secretNames(template).map((one) => String(parameters[one])))
      expect(body).not.toContain(secret);
  });

  it('says what its parameters are, and which events come without asking', () => {
    expect(template.parameters.length).toBeGreaterThan(0);
    expect(template.documentation).toMatch(/^https:\/\//);
    for (const event of template.defaultEvents) expect([event, supportsEvent(template, event)]).toEqual([event, true]);
    for (const { description, example } of template.parameters)
      expect([description !== '', example !== '']).toEqual([true, true]);
  });

  it('takes no parameters that could break out of an address or a header', () => {
    const texts = template.parameters
      .filter(({ type }) => type !== 'number' && type !== 'boolean')
      .map(({ name: one }) => one);
    const evil = fc.oneof(
      fc.string({ unit: 'binary', minLength: 1 }),
      fc.constantFrom(
        'a\r\nX-Evil: 1',
        '../../admin',
        'x/../y',
        'a?b=c',
        'a#b',
        '\u0000',
        'https://evil.example\r\n',
        'javascript:alert(1)',
        'https://user:pass@host/',
      ),
    );
    const host = new URL(template.target(parametersOf(template)).url).host;
    fc.assert(
      fc.property(fc.constantFrom(...texts), evil, (parameter, value) => {
        const checked = checkParameters(template, { ...given(template), [parameter]: value }, 'p');
        if (!checked.ok) {
          expect(checked.problems[0]?.path).toBe(`p.${parameter}`);
          return;
        }
        const { url, headers } = template.target(checked.parameters);
        expect(
          checkCustomHeaders(Object.entries(headers).map(([key, one]) => ({ name: key, value: one }))),
        ).toBeUndefined();
        const isUrl = template.parameters.find((one) => one.name === parameter)?.type === 'url';
        expect(/[\r\n\0]/.test(url)).toBe(false);
        if (!isUrl) expect(new URL(url).host).toBe(host);
        if (!isUrl)
          expect(new URL(url).pathname.split('/')).toHaveLength(
            new URL(template.target(parametersOf(template)).url).pathname.split('/').length,
          );
      }),
      { numRuns: 200 },
    );
  });
});

describe('pagerduty', () => {
  const pagerduty = vendorTemplateOf('pagerduty')!;
  const body = (type: EventTypeName) => pagerduty.body(exampleOf(type), {});

  it('triggers, acknowledges and resolves one alert: the key is that of the incident', () => {
    const key = eventTypeOf('incident.created').example['id'];
    expect(body('incident.created')).toMatchObject({
      event_action: 'trigger',
      dedup_key: key,
      payload: { severity: 'critical' },
    });
    expect(body('incident.reopened')).toMatchObject({ event_action: 'trigger', dedup_key: key });
    expect(body('incident.acknowledged')).toEqual({
      routing_key: SECRET_MASK,
      event_action: 'acknowledge',
      dedup_key: key,
    });
    expect(body('incident.resolved')).toEqual({ routing_key: SECRET_MASK, event_action: 'resolve', dedup_key: key });
    expect(body('incident.suppressed')).toMatchObject({ event_action: 'resolve', dedup_key: key });
    expect(supportsEvent(pagerduty, 'incident.updated')).toBe(false);
    expect(supportsEvent(pagerduty, 'incident.comment')).toBe(false);
  });

  it('keeps the key of a finding from its beginning to its end, also where it is long', () => {
    expect(body('finding.created')['dedup_key']).toBe(body('finding.resolved')['dedup_key']);
    const long = { ...eventTypeOf('finding.created').example, id: 'x'.repeat(1_000) };
    const [made, resolved] = ['finding.created', 'finding.resolved'].map(
      (type) => pagerduty.body(eventOf(type, long), {})['dedup_key'],
    );
    expect(made).toBe(resolved);
    expect(String(made).length).toBeLessThanOrEqual(255);
  });

  it('goes to the region of the account', () => {
    const target = (values: object) =>
      pagerduty.target(parametersOf(pagerduty, { routing_key: 'R'.repeat(32), ...values })).url;
    expect(target({})).toBe('https://events.pagerduty.com/v2/enqueue');
    expect(target({ region: 'eu' })).toBe('https://events.eu.pagerduty.com/v2/enqueue');
    expect(target({ url: 'https://pd.example/v2/enqueue' })).toBe('https://pd.example/v2/enqueue');
  });
});

describe('what chat services show', () => {
  const evil = eventOf('incident.created', {
    ...eventTypeOf('incident.created').example,
    title: '<!channel> @everyone <users/all> *bold* [link](https://evil.example) <b>x</b>',
    description: '<https://evil.example|click> ~x~ <a href="https://evil.example">x</a>',
  });
  const textOf = (name: string) =>
    JSON.stringify(
      vendorTemplateOf(name)!.body(evil, open(vendorTemplateOf(name)!, given(vendorTemplateOf(name)!, false))),
    );

  it('names nobody and makes no link in Slack', () => {
    expect(textOf('slack')).toContain('&lt;!channel&gt;');
    const { blocks } = JSON.parse(textOf('slack')) as { blocks: { type: string }[] };
    const said = JSON.stringify(blocks.filter(({ type }) => type !== 'header'));
    expect(said.match(/<[^>]*>/g)).toEqual(['<https://tocsin.example/incidents/inc_aaaaaaaaaaaaaaaaaaaaaaaaaa|Open>']);
  });

  it('has no markup of an alert in Telegram', () => {
    expect(textOf('telegram').match(/<\/?[a-z]+[^>]*>/g)).toEqual([
      '<b>',
      '</b>',
      '<a href=\\"https://tocsin.example/incidents/inc_aaaaaaaaaaaaaaaaaaaaaaaaaa\\">',
      '</a>',
    ]);
  });

  it('makes no link and mentions nobody in Discord, Teams and Google Chat', () => {
    for (const name of ['discord', 'teams'])
      expect(textOf(name)).toContain('\\\\[link\\\\]\\\\(https://evil.example\\\\)');
    expect(textOf('discord')).toContain('"allowed_mentions":{"parse":[]}');
    expect(textOf('google-chat')).toContain('‹users/all›');
  });

  it('calls somebody only where the subscription says so, and only when an incident opens', () => {
    const slack = vendorTemplateOf('slack')!;
    const withMention = { mention: '<!here>' };
    expect(JSON.stringify(slack.body(exampleOf('incident.created'), withMention))).toContain('<!here>');
    expect(JSON.stringify(slack.body(exampleOf('incident.resolved'), withMention))).not.toContain('<!here>');
  });
});

describe('tickets', () => {
  it('are plain text on Jira Data Center, with a token instead of an account', () => {
    const jira = vendorTemplateOf('jira')!;
    const values = { ...given(jira), deployment: 'data-center' };
    const { fields } = jira.body(exampleOf('incident.created'), open(jira, values)) as {
      fields: { description: unknown };
    };
    expect(fields.description).toContain('p99 of POST /checkout');
    expect(jira.target(parametersOf(jira, values))).toMatchObject({
      url: 'https://acme.atlassian.net/rest/api/2/issue',
      headers: { authorization: 'Bearer ATATT3XXXX' },
    });
  });

  it('need an account on Jira Cloud', () => {
    const jira = vendorTemplateOf('jira')!;
    const { email: _none, ...without } = given(jira);
    expect(checkParameters(jira, without, 'p')).toEqual({
      ok: false,
      problems: [{ path: 'p.email', code: 'is-needed', message: expect.any(String) }],
    });
    expect(checkParameters(jira, { ...without, deployment: 'data-center' }, 'p').ok).toBe(true);
  });

  it('of ServiceNow carry the incident’s id, by which they are found again', () => {
    const servicenow = vendorTemplateOf('servicenow')!;
    expect(servicenow.body(exampleOf('incident.created'), open(servicenow))).toMatchObject({
      ...{
        correlation_id: eventTypeOf('incident.created').example['id'],
        urgency: '1',
        impact: '1',
        assignment_group: 'Operations',
      },
    });
  });
});

it('github-dispatch names the event with dashes, and offers its fields at the top', () => {
  const body = vendorTemplateOf('github-dispatch')!.body(exampleOf('recommendation.created'), {});
  expect(body).toMatchObject({
    event_type: 'recommendation-created',
    client_payload: { type: 'recommendation.created', title: eventTypeOf('recommendation.created').example['title'] },
  });
  const large = eventOf('finding.created', { id: 'x', title: 'y', details: { a: 'z'.repeat(70_000) } });
  const cut = vendorTemplateOf('github-dispatch')!.body(large, {});
  expect(JSON.stringify(cut).length).toBeLessThan(65_535);
});

describe('the loop guard', () => {
  it.each([
    ['pagerduty', 'pagerduty', true],
    ['jira', 'jira', true],
    ['jira', 'jira-incident', true],
    ['servicenow', 'servicenow-incident', true],
    ['github-dispatch', 'github', true],
    ['pagerduty', 'prometheus', false],
    ['slack', 'generic', false],
    ['pagerduty', null, false],
  ])('%s and an incident of %s: %s', (name, connector, own) =>
    expect(isOwnOrigin(vendorTemplateOf(name)!, connector)).toBe(own),
  );
});

describe('parameters', () => {
  const telegram = vendorTemplateOf('telegram')!;
  it.each<[Record<string, unknown>, string, string]>([
    [{}, 'bot_token', 'is-needed'],
    [{ bot_token: 'x' }, 'bot_token', 'matches'],
    [{ bot_token: 7 }, 'bot_token', 'is-string'],
    [{ chat_id: 'a b' }, 'chat_id', 'matches'],
    [{ message_thread_id: 'x' }, 'message_thread_id', 'is-int'],
    [{ silent: 'yes' }, 'silent', 'is-boolean'],
    [{ base_url: 'ftp://x' }, 'base_url', 'is-url'],
    [{ base_url: 'https://user:secret@host' }, 'base_url', 'is-url'],
    [{ colour: 'red' }, 'colour', 'unknown-parameter'],
    [{ constructor: 'x' }, 'constructor', 'unknown-parameter'],
  ])('are refused with their path: %j', (changes, name, code) => {
    const base: Record<string, unknown> = Object.keys(changes).length === 0 ? { chat_id: '1' } : given(telegram);
    const checked = checkParameters(telegram, { ...base, ...changes }, 'template.parameters');
    expect(checked).toMatchObject({ ok: false, problems: [{ path: `template.parameters.${name}`, code }] });
    if (!checked.ok) expect(JSON.stringify(checked.problems)).not.toContain('XXXX');
  });

  it('that are left out have their defaults', () =>
    expect(parametersOf(telegram, given(telegram, false))).toMatchObject({
      base_url: 'https://api.telegram.org',
      silent: false,
    }));
});

it('every event of the catalogue can be told by chat', () => {
  for (const name of eventTypeNames) expect(supportsEvent(vendorTemplateOf('slack')!, name)).toBe(true);
  expect(supportsEvent(vendorTemplateOf('slack')!, 'nothing.known')).toBe(false);
});
