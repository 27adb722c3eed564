import { describe, expect, it } from 'vitest';
import { documentText } from './document-text.ts';
import { isIssueEvent, isNote, pageOf, stateOf } from './issue.ts';

const updated = (key: string, ...fields: string[]) => ({
  webhookEvent: 'jira:issue_updated',
  issue: { key: 'A-1', fields: { status: { name: 'Any', statusCategory: { key } } } },
  changelog: { items: fields.map((field) => ({ field })) },
});

describe('an update of an issue', () => {
  it.each([
    ['indeterminate', ['status'], 'indeterminate'],
    ['done', ['resolution', 'assignee'], 'done'],
    ['new', ['assignee'], 'update'],
    ['new', ['Rank', 'labels'], 'update'],
    ['new', ['priority'], 'new'],
    ['indeterminate', ['priority'], 'update'],
    ['done', [], 'done'],
  ])('in the category %s that changed %j says %s', (category, fields, state) =>
    expect(stateOf(updated(category, ...fields))).toBe(state),
  );

  it('is a note where it holds a comment and changed nothing', () => {
    const commented = { webhookEvent: 'jira:issue_updated', issue_event_type_name: 'issue_commented' };
    expect(isNote(commented)).toBe(true);
    expect(isNote({ ...commented, changelog: { items: [{ field: 'status' }] } })).toBe(false);
  });
});

it('only events about issues are read', () => {
  expect(['jira:issue_created', 'jira:issue_deleted', undefined].map((e) => isIssueEvent({ webhookEvent: e }))).toEqual(
    [true, true, true],
  );
  expect(['sprint_closed', 'issuelink_created', 'user_created'].map((e) => isIssueEvent({ webhookEvent: e }))).toEqual([
    false,
    false,
    false,
  ]);
});

describe('the page of an issue', () => {
  it.each([
    ['https://a.example/rest/api/2/issue/1', 'https://a.example/browse/A-1'],
    ['http://a.example:8080/jira/rest/api/2/issue/1', 'http://a.example:8080/jira/browse/A-1'],
    ['javascript:alert(1)//rest/', undefined],
    ['https://a.example/issue/1', undefined],
  ])('of %s is %s', (self, page) => expect(pageOf({ issue: { self, key: 'A-1' } })).toBe(page));
});

describe('the text of a document', () => {
  it('is any other value as it is', () => {
    expect(documentText('plain')).toBe('plain');
    expect(documentText(null)).toBeUndefined();
  });

  it('is cut, not followed, where it is nested without end', () => {
    let node: object = { type: 'text', text: 'deep' };
    for (let depth = 0; depth < 500; depth += 1) node = { type: 'paragraph', content: [node] };
    expect(documentText({ type: 'doc', content: [{ type: 'text', text: 'top' }, node] })).toBe('top');
  });
});
