import { randomBytes } from 'node:crypto';
import { Controller, Module, type Type } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { topics } from '@tocsin/contracts';
import type { BatchResult, EventLog } from '@tocsin/event-log';
import { openJournal } from '@tocsin/event-log/journal';
import type { Batch } from '@tocsin/postgres';
import pg from 'pg';
import { pino } from 'pino';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { startApplication, type RunningApplication } from '../boot/application.ts';
import type { Platform } from '../boot/platform.ts';
import { StaticConfigurationFeed } from '../configuration/static-feed.ts';
import { Health } from '../health/health.ts';
import { createKeyRing } from '../secrets/key-ring.ts';
import { Assignments } from './assignments.ts';
import { Hears } from './hears.ts';

const until = (probe: () => boolean) => vi.waitUntil(probe, { timeout: 10_000, interval: 5 });
let running: RunningApplication | undefined;
afterEach(async () => {
  await running?.close();
  running = undefined;
});

async function platform(): Promise<Platform> {
  const eventLog = await openJournal();
  await eventLog.ensureTopics(topics);
  const pool = new pg.Pool();
  const feed = new StaticConfigurationFeed();
  return {
    config: { publicUrl: '', databaseUrl: '', dataDirectory: '', development: true },
    environment: {},
    eventLog,
    pools: { pipeline: pool, rest: pool, close: async () => undefined },
    feed,
    keyRing: createKeyRing(`k:${randomBytes(32).toString('base64')}`, 'pepper of some length', randomBytes),
    health: new Health({ pool, feed, eventLog }),
    assignments: new Assignments(),
    clock: () => new Date(),
    random: randomBytes,
    log: pino({ level: 'silent' }),
    close: () => eventLog.close(),
  };
}

function moduleOf(controller: Type): Type {
  @Module({ controllers: [controller] })
  class OneDoorModule {}
  return OneDoorModule;
}

const send = (log: EventLog, value: string) =>
  log.append([
    { topic: 'webhook.received', key: 'whk', value: Buffer.from(value), headers: { type: 'webhook.received.v1' } },
  ]);
const start = async (shared: Platform, controller: Type) => {
  running = await startApplication(shared, [moduleOf(controller)], ['normalizer'], { host: '127.0.0.1', port: 0 });
  return running;
};
const done = (batch: Batch): BatchResult => ({ kind: 'committed', next: (batch.inputs.at(-1)?.offset ?? 0n) + 1n });

describe('a door of the event log', () => {
  it('gets whole batches, and its outcome moves the offset', async () => {
    const seen: string[] = [];
    @Controller()
    class Door {
      @Hears('normalizer', 'webhook.received')
      handle(@Payload() batch: Batch) {
        seen.push(...batch.inputs.map(({ value }) => value.toString()));
        return Promise.resolve(done(batch));
      }
    }
    const shared = await platform();
    await start(shared, Door);
    await Promise.all(['a', 'b', 'c'].map((value) => send(shared.eventLog, value)));
    await until(() => seen.length === 3);
    expect(seen).toEqual(['a', 'b', 'c']);
  });

  it('that throws moves no offset: the same records come again', async () => {
    const attempts: string[] = [];
    @Controller()
    class Door {
      @Hears('normalizer', 'webhook.received')
      async handle(@Payload() batch: Batch) {
        attempts.push(batch.inputs[0]?.value.toString() ?? '');
        if (attempts.length < 3) throw new Error('not now');
        return done(batch);
      }
    }
    const shared = await platform();
    await start(shared, Door);
    await send(shared.eventLog, 'a');
    await until(() => attempts.length === 3);
    expect(attempts).toEqual(['a', 'a', 'a']);
  });

  it('that returns no batch result halts its partition visibly instead of losing the batch', async () => {
    @Controller()
    class Door {
      @Hears('normalizer', 'webhook.received')
      handle(@Payload() _batch: Batch) {
        return Promise.resolve('oops');
      }
    }
    const shared = await platform();
    await start(shared, Door);
    await send(shared.eventLog, 'a');
    await vi.waitUntil(
      async () => (await shared.health.checks()).some(({ detail }) => detail?.includes('handler-contract')),
      { timeout: 10_000 },
    );
  });

  it('is let finish its batch at shutdown, and the outcome counts', async () => {
    const shared = await platform();
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const events: string[] = [];
    @Controller()
    class Door {
      @Hears('normalizer', 'webhook.received')
      async handle(@Payload() batch: Batch) {
        events.push('begun');
        await gate;
        events.push('finished');
        return done(batch);
      }
    }
    const app = await startApplication(shared, [moduleOf(Door)], ['normalizer'], { host: '127.0.0.1', port: 0 });
    await send(shared.eventLog, 'a');
    await until(() => events.length === 1);
    const closing = app.app.close().then(() => events.push('closed'));
    release();
    await closing;
    expect(events).toEqual(['begun', 'finished', 'closed']);
    expect(await shared.eventLog.lag('normalizer', ['webhook.received'])).toEqual(
      expect.not.arrayContaining([expect.objectContaining({ lag: 1n })]),
    );
    await shared.close();
  });
});

describe('the boot', () => {
  it('fails when a topic of a service has no handler', async () => {
    @Controller()
    class Deaf {}
    const shared = await platform();
    await expect(start(shared, Deaf)).rejects.toThrow("normalizer has no handler for 'webhook.received'");
    await shared.close();
  });

  it('fails when a handler hears what its service must not', async () => {
    @Controller()
    class Nosy {
      @Hears('normalizer', 'webhook.received')
      first() {
        return Promise.resolve(undefined);
      }
      @Hears('normalizer', 'incident.events')
      second() {
        return Promise.resolve(undefined);
      }
    }
    const shared = await platform();
    await expect(start(shared, Nosy)).rejects.toThrow(/not in the table of who hears what/);
    await shared.close();
  });

  it('fails on a topic that does not exist', () => {
    expect(() => Hears('normalizer', 'webhook.recieved' as 'webhook.received')).toThrow(/no such topic/);
  });
});
