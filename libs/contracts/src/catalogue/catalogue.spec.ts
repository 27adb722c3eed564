import { describe, expect, it } from 'vitest';
import { checkEventData, eventFamilies, eventPatterns, eventTypeNames, eventTypeOf } from './index.ts';

/** What both outbound products of product P12 and P13 advertise. */
const advertised = [
  ...['created', 'updated', 'acknowledged', 'resolved', 'reopened', 'snoozed', 'suppressed', 'comment'].map(
    (name) => `incident.${name}`,
  ),
  ...['created', 'updated', 'implemented', 'comment'].map((name) => `recommendation.${name}`),
  ...['finding.created', 'finding.resolved', 'compliance.changed'],
  ...['task.started', 'task.completed', 'task.failed'],
  ...['conversation.completed', 'approval.requested', 'approval.granted'],
  ...['resource.discovered', 'resource.changed', 'resource.deleted'],
  ...['delivery.exhausted', 'subscription.failing', 'subscription.disabled', 'subscription.recovered'],
  ...['webhook.locked_out', 'webhook.rate_limited'],
];

describe('the outbound catalogue', () => {
  it('holds every advertised event and no other', () => {
    expect([...eventTypeNames].sort()).toEqual([...advertised].sort());
  });

  it.each(eventTypeNames)('has an example of %s that fits its schema', (name) => {
    expect(checkEventData(name, eventTypeOf(name).example)).toEqual([]);
  });

  it.each(eventTypeNames)('refuses data of %s without its first required field, and says where', (name) => {
    const { data, example } = eventTypeOf(name);
    const [first = ''] = (data as unknown as { required: string[] }).required;
    const { [first]: _left, ...rest } = example;
    const problems = checkEventData(name, rest);
    expect(problems.length).toBeGreaterThan(0);
    expect(JSON.stringify(problems)).toContain(first);
    expect(problems[0]?.path).toMatch(/^data/);
  });

  it('lets further fields through', () => {
    expect(checkEventData('resource.deleted', { id: 'a', type: 'b', something: 1 })).toEqual([]);
  });

  it('offers everything, each family and each event to subscriptions', () => {
    expect(eventPatterns).toContain('*');
    for (const family of eventFamilies) expect(eventPatterns).toContain(`${family}.*`);
    expect(eventPatterns).toHaveLength(1 + eventFamilies.length + eventTypeNames.length);
  });
});
