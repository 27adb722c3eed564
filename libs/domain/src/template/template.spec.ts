import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { filters, readTemplate, renderTemplate, templateLimits } from './index.ts';

const context = {
  type: 'incident.created',
  timestamp: '2026-01-15T10:30:00.000Z',
  data: {
    title: 'Disk <full> & "hot"',
    severity: 'critical',
    number: 42,
    zero: 0,
    none: null,
    empty: '',
    services: ['a', 'b'],
    custom_fields: { 'team name': 'core', team: { lead: 'Ada' } },
  },
};

function render(document: unknown): unknown {
  const read = readTemplate(document, 'transform');
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return renderTemplate(read.template, context);
}
const problemsOf = (document: unknown) => {
  const read = readTemplate(document, 'transform');
  return read.ok ? [] : read.problems;
};

describe('a template', () => {
  it('fills texts, lists and objects, and leaves the rest as it is', () => {
    expect(
      render({ text: 'New {{type}}: {{data.title}}', list: ['{{data.severity}}', 1, true, null], empty: '' }),
    ).toEqual({
      text: 'New incident.created: Disk <full> & "hot"',
      list: ['critical', 1, true, null],
      empty: '',
    });
  });

  it('keeps the type of a value that is the whole text', () => {
    expect(
      render({
        n: '{{data.number}}',
        z: '{{ data.zero }}',
        l: '{{data.services}}',
        o: '{{data.custom_fields.team}}',
        x: '{{data.none}}',
      }),
    ).toEqual({ n: 42, z: 0, l: ['a', 'b'], o: { lead: 'Ada' }, x: null });
  });

  it.each([
    ['{{nothing.here}}', ''],
    ['a{{nothing}}b', 'ab'],
    ['{{data.none}}!', '!'],
    ['{{data.services}}.', 'a, b.'],
    ['{{data.services[1]}}', 'b'],
    ['{{data.services.0}}', 'a'],
    ['{{data.custom_fields["team name"]}}', 'core'],
    ["{{data.custom_fields['team name']}}", 'core'],
    ['{{data.custom_fields.team}}.', '{"lead":"Ada"}.'],
    ['{{data.severity | upper}}', 'CRITICAL'],
    ['{{data.severity|upper|lower}}', 'critical'],
    ['{{type | dashed}}', 'incident-created'],
    ['{{timestamp | date: "date"}}', '2026-01-15'],
    ['{{timestamp | date: "time"}}', '10:30:00'],
    ['{{timestamp | date: "unix"}}', 1768473000],
    ['{{timestamp | date: "unix_ms"}}', 1768473000000],
    ['{{timestamp | date}}', '2026-01-15T10:30:00.000Z'],
    ['{{data.title | date}}', 'Disk <full> & "hot"'],
    ['{{data.services | json}}', '["a","b"]'],
    ['{{nothing | json}}', 'null'],
    ['{{data.title | truncate: 5}}', 'Disk…'],
    ['{{data.severity | truncate: 8}}', 'critical'],
    ['{{data.empty | default: "n/a"}}', 'n/a'],
    ['{{data.zero | default: 7}}', 0],
    ['{{data.severity | map: "critical=P1", "high=P2", "*=P5"}}', 'P1'],
    ['{{type | map: "a=b", "*=P5"}}', 'P5'],
    ['{{type | map: "a=b"}}', 'incident.created'],
    ['{{data.title | escape_html}}', 'Disk &lt;full&gt; &amp; &quot;hot&quot;'],
    ['{{data.title | escape_mrkdwn}}', 'Disk &lt;full&gt; &amp; "hot"'],
    ['{{data.none | default: "}}"}}', '}}'],
    ['{ {type} }', '{ {type} }'],
  ])('renders %s', (text, wanted) => {
    expect(render({ text })).toEqual({ text: wanted });
  });

  it('reads own properties only', () => {
    const values = ['constructor', '__proto__', 'data.constructor.name', 'data.services.length', 'toString'];
    for (const path of values)
      expect(render({ text: `{{${path}}}` })).toEqual({ text: path.endsWith('length') ? 2 : '' });
  });

  it.each([
    [{ a: { b: ['ok', '{{'] } }, 'transform.a.b[1]', /column 1/],
    [{ text: 'x {{}}' }, 'transform.text', /column 5: expected a field name/],
    [{ text: '{{a | shout}}' }, 'transform.text', /column 7: expected a filter/],
    [{ text: '{{a | truncate}}' }, 'transform.text', /truncate takes 1/],
    [{ text: '{{a | truncate: "x"}}' }, 'transform.text', /whole number/],
    [{ text: '{{a | date: "local"}}' }, 'transform.text', /iso, date/],
    [{ text: '{{a | map: "no pair"}}' }, 'transform.text', /from=to/],
    [{ text: '{{a b}}' }, 'transform.text', /column 5/],
    [{ text: '{{a | default: b}}' }, 'transform.text', /quotes/],
  ])('refuses %j and says where', (document, path, message) => {
    const [problem] = problemsOf(document);
    expect(problem?.path).toBe(path);
    expect(problem?.message).toMatch(message);
  });

  it.each([['a text'], [null], [7]])('refuses %j as a whole', (document) => {
    expect(problemsOf(document)).toMatchObject([{ path: 'transform', code: 'not-an-object' }]);
  });

  it('has limits', () => {
    expect(problemsOf({ text: 'x'.repeat(templateLimits.characters) })).toMatchObject([{ code: 'too-long' }]);
    expect(problemsOf({ text: '{{a}}'.repeat(templateLimits.placeholders + 1) })).toMatchObject([
      { code: 'too-many-placeholders' },
    ]);
    let deep: unknown = 'x';
    for (let level = 0; level < templateLimits.depth + 1; level += 1) deep = [deep];
    expect(problemsOf(deep)).toMatchObject([{ code: 'too-deep' }]);
    const long = renderTemplate(
      { kind: 'text', pieces: ['a', { path: ['big'], filters: [] }] },
      { big: 'x'.repeat(templateLimits.renderedText) },
    );
    expect(long).toHaveLength(templateLimits.renderedText);
  });

  it('never throws, and gives JSON that nothing breaks out of', () => {
    const names = Object.keys(filters);
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom('{{', '}}', '{{data.title}}', '{{data|json}}', '{{data.evil | truncate: 3}}'),
      fc
        .tuple(fc.constantFrom('data', 'data.evil', 'nothing'), fc.constantFrom(...names))
        .map(([path, name]) => `{{${path}|${name}}}`),
    );
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string(),
          fc.array(piece).map((pieces) => pieces.join('')),
        ),
        fc.anything(),
        (document, evil) => {
          const read = readTemplate(document, 't');
          if (!read.ok) return;
          const made = renderTemplate(read.template, { data: { title: '","injected":"', evil } });
          if (typeof evil === 'bigint' || JSON.stringify(evil) === undefined) return;
          const again = JSON.parse(JSON.stringify(made)) as object;
          expect(Object.keys(again).every((key) => Object.hasOwn(document, key))).toBe(true);
          expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
