import { deriveId } from '@tocsin/contracts';
import { decide, exists, isRejection } from '@tocsin/domain/incident';
import type { EventLog } from '@tocsin/event-log';
import type { Clock, Logger, Random } from '@tocsin/nest-shell';
import type { Pipeline } from '@tocsin/postgres';
import type { Pool } from 'pg';
import { endAlertsOf } from './end-alerts.ts';
import { appendDecided } from './append-decided.ts';
import { lockIncident } from './incident-locks.ts';
import type { AlertPolicies } from './policies.ts';
import { Tide } from './tide.ts';
import { alertsAreDue, dropTimer, leaseDue, type Timer } from './timer-store.ts';

export interface TimerParts {
  pool: Pool;
  pipeline: Pipeline;
  policies: AlertPolicies;
  eventLog: Pick<EventLog, 'offsets' | 'lag'>;
  clock: Clock;
  random: Random;
  log: Logger;
}

const POLL_MS = 1_000;
const AT_ONCE = 50;

/** Ends snoozes, and alerts of which nothing was heard, when they are due. Timers are rows, so that a restart or another replica goes on with them. */
export class TimerWorker {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private stopped = true;
  private readonly tide: Tide;

  constructor(private readonly parts: TimerParts) {
    this.tide = new Tide(parts.eventLog);
  }

  start(): void {
    this.stopped = false;
    this.plan();
  }

  /** Finishes what is in hand. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  /** Runs up to fifty timers that are due. @returns how many were leased */
  async runDue(): Promise<number> {
    const { pool, clock } = this.parts;
    const now = clock();
    const heard = (await alertsAreDue(pool, now)) ? await this.heardUpTo(now) : null;
    const due = await leaseDue(pool, { now, heard }, AT_ONCE);
    for (const timer of due)
      await (timer.kind === 'snooze' || heard === null
        ? this.endSnooze(timer)
        : endAlertsOf(timer.incidentId, heard, this.parts));
    return due.length;
  }

  /** No alert is over for want of news while news of it may be on its way. */
  private async heardUpTo(now: Date): Promise<Date | null> {
    try {
      return await this.tide.advance(now);
    } catch (error) {
      // A broker that is away holds up what it may have news of, and nothing else.
      this.parts.log.warn({ error: (error as Error).message }, 'timers.not-heard');
      return null;
    }
  }

  private plan(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.running = this.work().finally(() => this.plan());
    }, POLL_MS);
  }

  private async work(): Promise<void> {
    try {
      while (!this.stopped && (await this.runDue()) === AT_ONCE);
    } catch (error) {
      // A database that is away: what is due stays due.
      this.parts.log.warn({ error: (error as Error).message }, 'timers.failed');
    }
  }

  /** The command of one timer; its cause derives from the timer, so that a repeat after a crash writes nothing twice. */
  private endSnooze(timer: Timer): Promise<void> {
    const { pipeline, clock, random } = this.parts;
    const { incidentId, version } = timer;
    const context = {
      at: clock().toISOString(),
      actor: { kind: 'system' as const, id: null, name: 'snooze timer' },
      causeId: deriveId('tmr', incidentId, String(version)),
      configRevision: 0,
    };
    return pipeline.commitCommand(async (tx) => {
      const { incident, heads } = await lockIncident(tx, incidentId, false);
      const decided = decide({ kind: 'end-snooze', snoozedByVersion: version }, incident, context);
      if (!exists(incident) || isRejection(decided)) {
        await dropTimer(tx, timer);
        return { result: undefined, outputs: [] };
      }
      const { outputs } = await appendDecided(tx, incident, decided, { heads, random });
      return { result: undefined, outputs };
    });
  }
}
