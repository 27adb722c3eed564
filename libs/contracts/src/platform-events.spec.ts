import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventTypeNames, eventTypeOf } from './catalogue/index.ts';
import {
  PLATFORM_DATA_MAX_BYTES,
  PLATFORM_DATA_MAX_DEPTH,
  platformRecordOf,
  publishedEventIdOf,
  readPlatformEvent,
  type PlatformRecord,
} from './platform-events.ts';

const WORKSPACE = 'ws_aaaaaaaaaaaaaaaaaaaaaaaaaa';
const finding = eventTypeOf('finding.created').example;
const bytes = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const attributes = {
  specversion: '1.0',
  id: 'f-1',
  source: '/scanner',
  type: 'finding.created',
  time: '2026-03-01T12:00:00+02:00',
  tocsinworkspace: WORKSPACE,
};
const structured = (changes: object = {}): PlatformRecord => ({
  type: '',
  headers: { 'content-type': 'application/cloudevents+json' },
  value: bytes({ ...attributes, data: finding, ...changes }),
  timestamp: 1_770_000_000_000,
});
const binary = (changes: Record<string, string> = {}, data: unknown = finding): PlatformRecord => ({
  type: '',
  headers: {
    ...Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`ce_${name}`, value])),
    ...changes,
  },
  value: bytes(data),
  timestamp: 1_770_000_000_000,
});
const refusalOf = (record: PlatformRecord) => {
  const read = readPlatformEvent(record);
  return 'refused' in read ? read.refused : undefined;
};

describe('a record of platform.events', () => {
  it.each([
    ['structured mode', structured()],
    ['binary mode', binary()],
    ['structured mode with our CloudEvents type', structured({ type: 'tocsin.finding.created.v1' })],
  ])('is read in %s', (_mode, record) => {
    expect(readPlatformEvent(record)).toEqual({
      event: {
        id: publishedEventIdOf(WORKSPACE, '/scanner', 'f-1'),
        name: 'finding.created',
        workspaceId: WORKSPACE,
        source: '/scanner',
        at: '2026-03-01T10:00:00.000Z',
        data: finding,
      },
    });
  });

  it('takes the time of the log where it says none', () => {
    expect(readPlatformEvent(structured({ time: undefined }))).toMatchObject({
      event: { at: new Date(1_770_000_000_000).toISOString() },
    });
  });

  const deep = (levels: number): unknown => (levels === 0 ? 1 : { a: deep(levels - 1) });
  it.each<[string, PlatformRecord, string, RegExp]>([
    ['bytes that are no JSON', { ...structured(), value: bytes('{') }, 'undecodable-record', /not JSON/],
    ['bytes that are no UTF-8', { ...structured(), value: Buffer.from([0xff]) }, 'undecodable-record', /not JSON/],
    ['a list', { ...structured(), value: bytes([]) }, 'undecodable-record', /neither/],
    ['another version', structured({ specversion: '0.3' }), 'undecodable-record', /specversion/],
    ['no id', structured({ id: undefined }), 'undecodable-record', /^id must/],
    ['no workspace', structured({ tocsinworkspace: undefined }), 'undecodable-record', /tocsinworkspace/],
    ['base64', structured({ data_base64: 'AA==' }), 'undecodable-record', /data_base64/],
    ['an unknown type', structured({ type: 'finding.lost' }), 'unknown-record-type', /finding\.lost/],
    ['a type of ours', structured({ type: 'incident.created' }), 'unknown-record-type', /Tocsin only/],
    ['a meta type', binary({ ce_type: 'webhook.locked_out' }), 'unknown-record-type', /Tocsin only/],
    ['wrong data', structured({ data: { id: 'x' } }), 'schema-mismatch', /title/],
    ['no data', structured({ data: undefined }), 'schema-mismatch', /data/],
    [
      'a wrong value',
      structured({ data: { ...finding, severity: 'apocalyptic' } }),
      'schema-mismatch',
      /data\.severity/,
    ],
    ['a wrong time', structured({ time: 'yesterday' }), 'schema-mismatch', /RFC 3339/],
    [
      'data that is too deep',
      structured({ data: { ...finding, details: deep(PLATFORM_DATA_MAX_DEPTH) } }),
      'schema-mismatch',
      /deeper/,
    ],
    [
      'data that is too large',
      structured({ data: { ...finding, details: { a: 'x'.repeat(PLATFORM_DATA_MAX_BYTES) } } }),
      'schema-mismatch',
      /bytes/,
    ],
  ])('is refused for %s, with the reason', (_what, record, reason, detail) => {
    expect(refusalOf(record)?.reason).toBe(reason);
    expect(refusalOf(record)?.detail).toMatch(detail);
  });

  it('never throws, whatever the bytes and headers are', () => {
    const value = fc.oneof(
      fc.uint8Array(),
      fc.json().map(bytes),
      fc.anything().map((any) => bytes(String(JSON.stringify(any)))),
    );
    const headers = fc.dictionary(
      fc.constantFrom('ce_specversion', 'ce_id', 'ce_type', 'ce_source', 'content-type'),
      fc.string(),
    );
    fc.assert(
      fc.property(value, headers, (bytesOfIt, given) => {
        expect(
          Object.keys(readPlatformEvent({ type: '', headers: given, value: bytesOfIt, timestamp: 0 })),
        ).toHaveLength(1);
      }),
    );
  });
});

describe('a record that Tocsin writes', () => {
  it.each(eventTypeNames.filter((name) => !name.startsWith('incident.')))('of %s is read as it was written', (name) => {
    const event = {
      ...{ id: 'evt_bbbbbbbbbbbbbbbbbbbbbbbbbb', name, workspaceId: WORKSPACE, source: '/tocsin' },
      ...{ at: '2026-03-01T10:00:00.000Z', data: { ...eventTypeOf(name).example } },
    };
    const { type, headers, value } = platformRecordOf(event);
    expect(readPlatformEvent({ type, headers, value, timestamp: 0 })).toEqual({ event });
  });

  it('is not written with data that does not fit', () => {
    const event = {
      id: 'evt_x',
      name: 'task.started',
      workspaceId: WORKSPACE,
      source: '/tocsin',
      at: '',
      data: {},
    } as const;
    expect(() => platformRecordOf(event)).toThrow(/task\.started/);
  });

  it('has headers that a broker and a log can carry', () => {
    const { headers } = platformRecordOf({
      ...{
        id: 'evt_x',
        name: 'resource.deleted',
        workspaceId: WORKSPACE,
        source: '/tocsin',
        at: '2026-03-01T10:00:00.000Z',
      },
      data: { id: 'line\r\nbreak ☃', type: 'x' },
    });
    expect(headers.ce_subject).toBe('line??break ?');
  });
});
