import { defaultRcaSettings, type RcaCaps, type RcaSettings } from '@tocsin/domain/rca';
import type { ConfigurationFeed } from '@tocsin/nest-shell';
import type { Input, Stage, Verdict } from '@tocsin/postgres';
import { eraseFindings } from './erase-findings.ts';
import { incidentRecordOf, isIncidentEvent, planBatch, requestedEvent } from './incident-records.ts';
import { countLastHour, lockIncidents, storeIncidents, storeRequests } from './investigation-store.ts';
import { rcaOutput } from './rca-facts.ts';
import { taskStarted } from './work-events.ts';

export interface RecordIncidentsParts {
  feed: Pick<ConfigurationFeed, 'webhook' | 'workspace' | 'atLeast'>;
  caps: RcaCaps;
  settleMs: number;
  clock(): Date;
  /** Investigations were asked for and committed. */
  wake(): void;
}

/** The revision with which an incident event was decided may be newer than what this process has read. */
const CONFIGURATION_WAIT_MS = 10_000;

/**
 * Keeps the incidents that root-cause analysis knows, and asks for investigations. Runs inside the caller's transaction;
 * an event that comes again changes nothing.
 */
export const recordIncidentsStage = (parts: RecordIncidentsParts): Stage<null> => ({
  async load(inputs) {
    const revision = inputs.reduce((newest, input) => Math.max(newest, revisionOf(input)), 0);
    await parts.feed.atLeast(revision, CONFIGURATION_WAIT_MS);
    return null;
  },

  async apply(tx, inputs) {
    const records = inputs.filter(isIncidentEvent).map((input) => ({ input, record: incidentRecordOf(input) }));
    if (records.length === 0) return { verdicts: inputs.map(() => notOurs), outputs: [] };
    const now = parts.clock();
    const known = await lockIncidents(tx, [...new Set(records.map(({ record }) => record.incident.id))]);
    const workspaceHour = await countLastHour(
      tx,
      [...new Set(records.map(({ record }) => record.incident.workspace_id))],
      now,
    );
    const plan = planBatch(records, {
      known,
      workspaceHour,
      caps: parts.caps,
      settingsOf: (id) => settingsOf(parts.feed, id),
      investigatorOf: (id) => (parts.feed.workspace(id)?.body.investigator ? 'http' : 'built-in'),
    });
    await storeIncidents(tx, plan.rows);
    await eraseFindings(
      tx,
      records.filter(({ input }) => !plan.repeated.has(input)).map(({ record }) => record),
    );
    const times = { requested: now.toISOString(), due: plus(now, parts.settleMs) };
    const made = await storeRequests(tx, plan.requests, times);
    const fresh = plan.requests.filter(({ id }) => made.has(id));
    return {
      verdicts: inputs.map((input) =>
        !isIncidentEvent(input) ? notOurs : plan.repeated.has(input) ? repeated : handled,
      ),
      outputs: fresh.flatMap((request) => [
        rcaOutput(requestedEvent(request, times.requested), { input: request.input }),
        taskStarted(request, times.requested, { input: request.input }),
      ]),
      committed: () => {
        if (fresh.length > 0) parts.wake();
      },
    };
  },

  forget: () => undefined, // keeps no cache
});

const handled: Verdict = { kind: 'handled' };
const notOurs: Verdict = { kind: 'skip', reason: 'not-for-this-service' };
const repeated: Verdict = { kind: 'skip', reason: 'already-processed' };

const plus = (time: Date, millis: number): string => new Date(time.getTime() + millis).toISOString();

/** The webhook's settings, in the newest revision; an incident without a webhook, or with a deleted one, has the defaults. */
function settingsOf(feed: Pick<ConfigurationFeed, 'webhook'>, webhookId: string | null): RcaSettings {
  const webhook = webhookId === null ? undefined : feed.webhook(webhookId);
  return webhook?.body.rca ?? defaultRcaSettings;
}

/** 0 where the record cannot be read: `apply` then says what is wrong with it, and with it alone. */
function revisionOf(input: Input): number {
  try {
    return isIncidentEvent(input) ? incidentRecordOf(input).event.config_revision : 0;
  } catch {
    return 0;
  }
}
