import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../run.ts';
import { FakeTerminal } from '../spec/fake-terminal.ts';

const EXAMPLES = fileURLToPath(new URL('../../../../docs/examples/rules/', import.meta.url));

let directory: string;
beforeAll(async () => (directory = await mkdtemp(join(tmpdir(), 'tocsin-rules-'))));
afterAll(() => rm(directory, { recursive: true, force: true }));

/** A terminal that reads real files. */
class Files extends FakeTerminal {
  override read = (path: string) => readFile(path);
}
async function tocsin(...args: string[]) {
  const terminal = new Files();
  return { code: await run(['rules', 'test', ...args], terminal), out: terminal.printed, err: terminal.complained };
}
async function fixture(content: string, name = 'fixture.yaml'): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, content);
  return path;
}

const two = (more = '') => `
steps:
  - { name: a, at: 0s, alert: { title: A, severity: high, services: [db], tags: ['env:x'] } }
  - { name: b, at: 1h, alert: { title: B, severity: low, services: [db], tags: [x] } }
${more}`;
const rules = `
configuration:
  correlation_rules:
    rules:
      - name: Same tag
        conditions:
          operator: and
          items:
            - { field: tags, operator: intersects, value: [] }
            - { field: severity, operator: in, value: [high, critical] }
`;

describe('tocsin rules test', () => {
  it('finds the examples of the guide as they expect', async () => {
    const { code, out, err } = await tocsin(EXAMPLES);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out.match(/^ok {4}/gm)).toHaveLength(3);
  });

  it('says of an alert that opens an incident of its own which rule was nearest, and what failed', async () => {
    const path = await fixture(`${rules}${two('expect: { incidents: [[a, b]] }')}`);
    const { code, out, err } = await tocsin(path);
    expect(code).toBe(1);
    expect(out).toContain(`FAIL  ${path}`);
    expect(out).toContain(
      'b was expected in the incident of a, but was created, new-alert; nearest rule "Same tag": 1 of 2 conditions, failed severity in ["high","critical"] (found ["low"])',
    );
    expect(err).toContain('1 of 1 fixtures came out otherwise');
  });

  it('says by which rule an alert joins that should not', async () => {
    const loose = rules.replace(/ {12}- \{ field: severity.*\n/, '');
    const path = await fixture(`${loose}${two('expect: { incidents: [[a], [b]], rules: { b: null } }')}`);
    const { code, out } = await tocsin('--json', path);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      ...{ fixtures: 1, failed: 1 },
      results: [
        {
          ok: false,
          differences: [
            { kind: 'together', alerts: ['a', 'b'] },
            { kind: 'together', alerts: ['b', 'a'] },
            { kind: 'other-rule', alerts: ['b'], message: expect.stringContaining('rule "Same tag" of the workspace') },
          ],
        },
      ],
    });
  });

  it('tries a proposed configuration on fixtures that were written for another', async () => {
    const path = await fixture(`${rules}${two('expect: { incidents: [[a], [b]] }')}`);
    const proposed = await fixture(
      'webhooks: [{ name: default, correlation: { by: any, window_minutes: 120 } }]',
      'p.yaml',
    );
    expect((await tocsin(path)).code).toBe(0);
    const { code, out } = await tocsin('--config', proposed, path);
    expect(code).toBe(1);
    expect(out).toContain('but was correlated, time-window');
  });

  it.each([
    ['nothing is named', [], 'rules test: fixture files'],
    ['the file is not there', ['nowhere.yaml'], 'nowhere.yaml cannot be read'],
  ])('is misused where %s', async (_what, args, message) => {
    const { code, err } = await tocsin(...args);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });

  it.each([
    ['a: [', 'fixture.yaml:'],
    ['steps: []', 'steps'],
    [two('expect: { incidents: [[a, c]] }'), 'there is no alert c; there are a, b'],
    [two('expect: { incidents: [[a]] }').replace('name: b', 'name: a'), 'is the name of an earlier step'],
    [two('expect: { incidents: [[a]] }').replace('at: 1h', 'at: later'), 'steps/1'],
    [`${rules.replace('intersects', 'crosses')}${two('expect: { incidents: [[a]] }')}`, 'operator: must be one of'],
    [`configuration: { webhooks: [{ name: x, dedupe: {} }] }${two('expect: { incidents: [[a]] }')}`, 'webhooks.0'],
    [
      `configuration: { webhooks: [{ name: x, connector: y }] }${two('expect: { incidents: [[a]] }')}`,
      'there is no connector y',
    ],
    [`configuration: { webhooks: [{ name: x }, { name: y }] }${two('expect: { incidents: [[a]] }')}`, 'one of x, y'],
  ])('refuses %j', async (content, message) => {
    const { code, err } = await tocsin(await fixture(content));
    expect(code).toBe(2);
    expect(err).toContain(message);
  });
});
