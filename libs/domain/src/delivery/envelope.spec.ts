import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readTemplate } from '../template/index.ts';
import { bodyOf, renderBody } from './envelope.ts';

const bodyWith = (data: Record<string, unknown>): string =>
  bodyOf({ id: 'evt_1', type: 'incident.created', timestamp: '2026-03-01T10:00:00.000Z', workspace_id: 'ws_1', data });

describe('the body of a delivery', () => {
  it('is compact and in the order of the envelope', () =>
    expect(bodyWith({ title: 'x' })).toBe(
      '{"id":"evt_1","type":"incident.created","timestamp":"2026-03-01T10:00:00.000Z","workspace_id":"ws_1","data":{"title":"x"}}',
    ));

  it('has no key that looks like an array index, and loses none', () =>
    expect(
      JSON.parse(bodyWith({ custom_fields: { '404': 'a', _404: 'b', '007': 'c', nested: [{ '0': 'd' }] } })).data,
    ).toEqual({
      custom_fields: { __404: 'a', _404: 'b', '007': 'c', nested: [{ _0: 'd' }] },
    }));

  it('comes back byte for byte when a receiver parses and serialises it', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (data) => {
        const body = bodyWith(JSON.parse(JSON.stringify(data)) as Record<string, unknown>);
        expect(JSON.stringify(JSON.parse(body))).toBe(body);
        expect(body).not.toMatch(/[{,]"(0|[1-9]\d{0,9})":/);
      }),
      { numRuns: 300, examples: [[{ a: { '1': 2, ['__proto__']: 3 } }]] },
    );
  });
});

describe('forms of a body', () => {
  const envelope = {
    id: 'evt_1',
    type: 'incident.acknowledged',
    timestamp: '2026-03-01T10:00:00.000Z',
    workspace_id: 'ws_1',
    data: {
      id: 'inc_1',
      title: 'Größe "x"',
      description: 'd',
      status: 'acknowledged',
      urgency: 'HIGH',
      priority: null,
      services: ['db', 'api'],
      assignee: null,
      created_at: '2026-03-01T09:00:00.000Z',
      url: 'https://tocsin.example/incidents/inc_1',
      severity: 'critical',
    },
  };

  it('opsknight: its names, the status in upper case, the first service with an id that stays', () => {
    const { body, contentType } = renderBody(envelope, { envelope: 'opsknight' });
    expect(contentType).toBe('application/json');
    expect(JSON.parse(body)).toEqual({
      event: 'incident.acknowledged',
      timestamp: '2026-03-01T10:00:00.000Z',
      data: {
        id: 'inc_1',
        title: 'Größe "x"',
        description: 'd',
        status: 'ACKNOWLEDGED',
        urgency: 'HIGH',
        priority: null,
        service: { id: expect.stringMatching(/^svc_[a-z2-7]{26}$/) as string, name: 'db' },
        assignee: null,
        createdAt: '2026-03-01T09:00:00.000Z',
      },
    });
    expect(renderBody(envelope, { envelope: 'opsknight' }).body).toBe(body);
  });

  it('opsknight: other events with all of their data, an incident without a service with null', () => {
    const other = { ...envelope, type: 'task.started', data: { id: 't' } };
    expect(JSON.parse(renderBody(other, { envelope: 'opsknight' }).body)).toEqual({
      event: 'task.started',
      timestamp: envelope.timestamp,
      data: { id: 't' },
    });
    const bare = { ...envelope, data: { ...envelope.data, services: [] } };
    expect(JSON.parse(renderBody(bare, { envelope: 'opsknight' }).body).data.service).toBeNull();
  });

  it('cloudevents: structured mode of CloudEvents 1.0', () => {
    const { body, contentType } = renderBody(envelope, { envelope: 'cloudevents' });
    expect(contentType).toBe('application/cloudevents+json; charset=utf-8');
    expect(JSON.parse(body)).toEqual({
      specversion: '1.0',
      id: 'evt_1',
      source: '/tocsin',
      type: 'tocsin.incident.acknowledged.v1',
      time: '2026-03-01T10:00:00.000Z',
      subject: 'inc_1',
      tocsinworkspace: 'ws_1',
      datacontenttype: 'application/json',
      data: envelope.data,
    });
  });

  it('cloudevents-binary: attributes in headers, percent-encoded; the data is the body', () => {
    const odd = { ...envelope, data: { ...envelope.data, id: 'ä "1%"\n' } };
    const { body, headers } = renderBody(odd, { envelope: 'cloudevents-binary' });
    expect(JSON.parse(body)).toEqual(odd.data);
    expect(headers).toMatchObject({
      'ce-id': 'evt_1',
      'ce-specversion': '1.0',
      'ce-subject': '%C3%A4%20%221%25%22%0A',
    });
    expect(Object.values(headers).every((value) => /^[\x21-\x7e]+$/.test(value))).toBe(true);
  });

  it('a transform reads the envelope, `incident` and `url`', () => {
    const read = readTemplate({ text: '{{type}}: {{incident.title}} {{url}}', id: '{{id}}' }, 'transform');
    if (!read.ok) throw new Error('refused');
    const { body } = renderBody(envelope, { envelope: 'cloudthinker', transform: read.template });
    expect(JSON.parse(body)).toEqual({
      text: 'incident.acknowledged: Größe "x" https://tocsin.example/incidents/inc_1',
      id: 'evt_1',
    });
  });
});
