import { readdirSync, readFileSync } from 'node:fs';
import { encodeRecord } from '@tocsin/contracts';
import { describe, expect, it } from 'vitest';
import { projectAlerts } from './alert-projection.ts';
import { eventSamples } from './event-samples.ts';
import type { IncidentEventType } from './events.ts';
import { fold } from './evolve.ts';
import { published } from './outbound.ts';
import { publicIncident } from './public-incident.ts';
import { exists, initialState } from './state.ts';
import { loadEvent, newestVersionOf, UnknownEventError, type StoredIncidentEvent } from './stored-event.ts';

const folder = new URL('./stored-samples/', import.meta.url);
const types = Object.keys(published) as IncidentEventType[];

/** Samples lie as `<type>.v<version>.json`, in the form in which rows and payloads hold them. */
const sampleOf = (type: string, version: number): StoredIncidentEvent => {
  const { schema_version, cause_id, config_revision, ...rest } = JSON.parse(
    readFileSync(new URL(`${type}.v${version}.json`, folder), 'utf8'),
  ) as Record<string, unknown>;
  return {
    ...rest,
    ...{ schemaVersion: schema_version, causeId: cause_id, configRevision: config_revision },
  } as unknown as StoredIncidentEvent;
};
const versions = types.flatMap((type) =>
  Array.from({ length: newestVersionOf(type) }, (_, index) => [type, index + 1] as const),
);

describe('stored events', () => {
  it('have a sample of every version of every type, and no other samples', () => {
    expect(readdirSync(folder).sort()).toEqual(versions.map(([type, version]) => `${type}.v${version}.json`).sort());
  });

  it.each(versions)('%s of version %i loads, folds and projects', (type, version) => {
    const stored = sampleOf(type, version);
    expect([stored.type, stored.schemaVersion]).toEqual([type, version]);
    const event = loadEvent(stored);
    expect(event.schemaVersion).toBe(newestVersionOf(type));
    const begins = exists(fold(initialState('inc_1'), [event]));
    const history = begins ? [event] : [loadEvent(sampleOf('IncidentOpened', 1)), event];
    const state = fold(initialState('inc_1'), history);
    if (!exists(state)) throw new Error(`${type} leaves no incident`);
    expect(state.version).toBe(history.length);
    expect(() => encodeRecord('incident.state.v1', publicIncident(state))).not.toThrow();
    expect(() => projectAlerts(history)).not.toThrow();
  });

  it('have the keys that are written now in their newest sample', () => {
    for (const type of types) {
      const written = eventSamples[type].v1.data;
      expect([type, Object.keys(sampleOf(type, newestVersionOf(type)).data).sort()]).toEqual([
        type,
        Object.keys(written).sort(),
      ]);
    }
  });
});

describe('loading an old version', () => {
  const table = {
    CommentAdded: [
      ({ body }: Record<string, unknown>) => ({ text: body }),
      (data: Record<string, unknown>) => ({ ...data, format: 'plain' }),
    ],
  };
  const stored = sampleOf('CommentAdded', 1);

  it('takes every step up to the newest', () => {
    expect(loadEvent({ ...stored, data: { body: 'seen' } }, table)).toMatchObject({
      ...{ schemaVersion: 3, data: { text: 'seen', format: 'plain' }, causeId: stored.causeId },
    });
  });

  it('takes only the steps that are left', () => {
    const { data } = loadEvent({ ...stored, schemaVersion: 2, data: { text: 'seen' } }, table);
    expect(data).toEqual({ text: 'seen', format: 'plain' });
  });

  it('leaves the newest as it is', () => {
    const newest = { ...stored, schemaVersion: 3, data: { text: 'seen', format: 'rich' } };
    expect(loadEvent(newest, table)).toBe(newest);
  });

  it('refuses what a newer release wrote', () => {
    expect(() => loadEvent({ ...stored, schemaVersion: 2 })).toThrow(UnknownEventError);
    expect(() => loadEvent({ ...stored, schemaVersion: 0 })).toThrow(UnknownEventError);
    expect(() => loadEvent({ ...stored, type: 'IncidentForgotten' })).toThrow('knows no event IncidentForgotten');
  });
});
