import { describe, expect, it } from 'vitest';
import { statusOf } from '@tocsin/domain/mapping';
import { pageOf, priorityOf, recordsOf, stateOf, stateWords, tableOf } from './record.ts';

const meaningOf = (record: unknown): string | undefined => {
  const state = stateOf(record)?.toLowerCase() ?? '';
  return stateWords[state] ?? statusOf(state);
};

describe('the state of a record', () => {
  it.each([
    ['incident', '1', 'triggered'],
    ['incident', '3', 'acknowledged'],
    ['incident', '8', 'resolved'],
    ['problem', '101', 'triggered'],
    ['problem', '104', 'acknowledged'],
    ['problem', '107', 'resolved'],
    ['change_request', '-5', 'triggered'],
    ['change_request', '0', 'acknowledged'],
    ['change_request', '3', 'resolved'],
    ['sc_task', '3', 'resolved'],
    ['em_alert', 'Flapping', 'triggered'],
    ['em_alert', 'Reopen', 'triggered'],
    ['em_alert', 'Closed', 'resolved'],
    ['incident', 'Awaiting User Info', 'acknowledged'],
    ['sc_task', 'Closed Incomplete', 'resolved'],
  ])('of the table %s is, at %s, %s', (sys_class_name, state, meaning) =>
    expect(meaningOf({ sys_class_name, state })).toBe(meaning),
  );

  it('is read from the code where there are both forms, whatever the language of the label', () =>
    expect(meaningOf({ state: { display_value: 'En attente', value: '3' } })).toBe('acknowledged'));

  it('may be the number zero', () => expect(meaningOf({ number: 'CHG1', state: 0 })).toBe('acknowledged'));
});

describe('the table of a record', () => {
  it.each([
    [{ sys_class_name: 'Change Request' }, 'change_request'],
    [{ sys_class_name: { display_value: 'Störung', value: 'incident' } }, 'incident'],
    [{ number: 'PRB0000001' }, 'problem'],
    [{ number: 'Alert0000001' }, 'em_alert'],
    [{ number: 'SCTASK0000001' }, 'task'],
    [{ sys_id: 'x' }, 'incident'],
  ])('of %j is %s', (record, table) => expect(tableOf(record)).toBe(table));
});

describe('the priority of a record', () => {
  it.each([
    [{ priority: '2 - High', severity: '3' }, '2 - High'],
    [{ impact: '1 - High', urgency: '1' }, '1'],
    [{ impact: '2', urgency: '3' }, '4'],
    [{ impact: '3', urgency: '3' }, '5'],
    [{ impact: '3' }, undefined],
    [{ sys_class_name: 'em_alert', severity: '1', priority: '87.5' }, 'critical'],
  ])('of %j is %s', (record, priority) => expect(priorityOf(record)).toBe(priority));
});

it('records are found at the root, under a name, under two names, and in lists', () => {
  const record = { sys_id: 'a' };
  for (const root of [record, { result: record }, { body: { record } }, [record], { result: [record] }])
    expect(recordsOf(root)).toEqual([record]);
});

it('the page of a record needs an instance and a real sys_id, and takes no address that is not one', () => {
  const sys_id = '0123456789abcdef0123456789abcdef';
  const page = `https://shop.service-now.com/nav_to.do?uri=incident.do?sys_id=${sys_id}`;
  expect(pageOf({ sys_id, instance: 'shop' }, {})).toBe(page);
  expect(pageOf({ sys_id }, { instance_url: 'https://shop.service-now.com/' })).toBe(page);
  expect(pageOf({ sys_id, cmdb_ci: { link: 'https://shop.service-now.com/api/now/x' } }, {})).toBe(page);
  expect(pageOf({ sys_id, instance_url: 'javascript:alert(1)' }, {})).toBeUndefined();
  expect(pageOf({ sys_id: 'x y', instance: 'shop' }, {})).toBeUndefined();
});
