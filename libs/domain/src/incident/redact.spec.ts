import fc from 'fast-check';
import { encodeRecord } from '@tocsin/contracts';
import { describe, expect, it } from 'vitest';
import { projectAlerts } from './alert-projection.ts';
import { erasedEvents, toErase, withErased, type KeptEvent } from './erase.ts';
import { eventSamples } from './event-samples.ts';
import type { IncidentEvent } from './events.ts';
import { fold } from './evolve.ts';
import { publicIncident } from './public-incident.ts';
import { ERASED, redact, redactEvent } from './redact.ts';
import { exists, initialState, type ExistingIncident } from './state.ts';

const { IncidentOpened, IncidentResolved, CommentAdded, AlertsAttached, PayloadErased } = eventSamples;
const opened = IncidentOpened.v1;
const samples: IncidentEvent[] = Object.values(eventSamples).map(({ v1 }) => v1);
const folded = (events: readonly IncidentEvent[]): ExistingIncident => {
  const state = fold(initialState('inc_1'), events);
  if (!exists(state)) throw new Error('no incident');
  return state;
};
/** Texts of the samples that people or senders wrote. */
const WRITTEN = [
  ...['Disk of db-7', 'Grows by', 'orders-db', 'env:production', 'node-agent', 'graphs.example.com', 'db-7/disk', 'b4'],
  ...[
    'on it',
    'old logs',
    'ada@',
    'after the backup',
    'a test machine',
    'Who owns',
    '95 %',
    'Customers cannot',
    'Three calls',
  ],
  ...['checkout', 'gold', 'one disk', 'Disk of db-8', 'A deployment of', 'orders-db 4.2'],
];

describe('a redacted event', () => {
  it.each(samples.map((event) => [event.type, event] as const))(
    '%s holds nothing that somebody wrote',
    (_type, event) => {
      const text = JSON.stringify(redactEvent(event).data);
      expect(WRITTEN.filter((written) => text.includes(written))).toEqual([]);
    },
  );

  it.each(samples.map((event) => [event.type, event] as const))(
    '%s does to an incident what it did',
    (_type, event) => {
      const begins = exists(fold(initialState('inc_1'), [event]));
      const history = begins ? [event] : [opened, event];
      const [before, after] = [folded(history), folded(history.map(redactEvent))];
      for (const name of [
        'status',
        'severity',
        'version',
        'number',
        'occurrences',
        'correlated',
        'openAlerts',
        'updatedAt',
        'scope',
      ] as const)
        expect([name, after[name]]).toEqual([name, before[name]]);
      const idsOf = (events: IncidentEvent[]) => [...projectAlerts(events).inserted.keys()];
      expect(idsOf(history.map(redactEvent))).toEqual(idsOf(history));
      expect(() => encodeRecord('incident.state.v1', publicIncident(after))).not.toThrow();
    },
  );

  it('says where a text was, and that a link was none', () => {
    expect(redactEvent(opened).data).toMatchObject({
      ...{ title: ERASED, description: ERASED, url: null, source: null, services: [], tags: [], custom_fields: {} },
      ...{ severity: 'medium', number: 12, workspace_id: opened.data.workspace_id },
      alert: { id: opened.data.alert.id, dedup_key: ERASED, why: { reason: 'new-alert', configRevision: 4 } },
    });
  });

  it('keeps no text under any key that senders chose', () => {
    const secret = fc.string({ minLength: 1 }).map((text) => `Jane ${text}`);
    fc.assert(
      fc.property(fc.dictionary(fc.string(), secret), secret, (custom, text) => {
        const event = { ...opened, data: { ...opened.data, title: text, custom_fields: custom, tags: [text] } };
        expect(JSON.stringify(redactEvent(event))).not.toContain('Jane ');
      }),
    );
  });

  it('is the same when it is redacted again', () => {
    for (const event of samples) expect(redact(redact(event.data))).toEqual(redact(event.data));
  });
});

describe('what an erasure erases', () => {
  const history: IncidentEvent[] = [opened, AlertsAttached.v1, CommentAdded.v1, IncidentResolved.v1];
  const kept = (events: readonly IncidentEvent[], erased: readonly number[] = []): KeptEvent[] =>
    events.map((event, index) => ({ event, version: index + 1, erased: erased.includes(index + 1) }));
  const versionsOf = (chosen: ReturnType<typeof toErase>) =>
    Array.isArray(chosen) ? chosen.map(({ version }) => version) : chosen;

  it('is every content of a closed incident', () => {
    expect(versionsOf(toErase({ versions: undefined, note: null }, folded(history), kept(history)))).toEqual([
      1, 2, 3, 4,
    ]);
  });

  it('is not what is erased already, nor what says so', () => {
    const longer = [...history, PayloadErased.v1];
    const state = folded(longer);
    expect(versionsOf(toErase({ versions: undefined, note: null }, state, kept(longer, [1, 3])))).toEqual([2, 4]);
    expect(versionsOf(toErase({ versions: [1, 5], note: null }, state, kept(longer, [1])))).toEqual([]);
  });

  it('is a remark at any time, and the rest once the incident is closed', () => {
    const live = [opened, CommentAdded.v1];
    const state = folded(live);
    expect(versionsOf(toErase({ versions: [2], note: null }, state, kept(live)))).toEqual([2]);
    expect(toErase({ versions: [1], note: null }, state, kept(live))).toEqual({ refused: 'still-open' });
    expect(toErase({ versions: undefined, note: null }, state, kept(live))).toEqual({ refused: 'still-open' });
  });

  it('names a version that is not there', () => {
    expect(toErase({ versions: [3, 9], note: null }, folded(history), kept(history))).toEqual({
      ...{ refused: 'no-such-version', version: 9 },
    });
  });

  it('leaves the other events as they are', () => {
    const all = kept(history);
    const chosen = toErase({ versions: [3], note: null }, folded(history), all);
    const after = withErased(all, chosen as KeptEvent[]);
    expect(after.map((event, index) => event === history[index])).toEqual([true, true, false, true]);
    expect(after[2]).toMatchObject({ data: { text: ERASED }, actor: CommentAdded.v1.actor });
  });

  it('is told in as many events as are needed', () => {
    const payloads = Array.from({ length: 4_001 }, (_, n) => ({ version: n + 1, salt: '00', digest: 'ff' }));
    const context = { at: opened.at, actor: CommentAdded.v1.actor, causeId: 'cmd_1', configRevision: 0 };
    expect(erasedEvents(payloads, null, context).map(({ data }) => data.payloads.length)).toEqual([2_000, 2_000, 1]);
  });
});
