import { type Caller, type Clock, type ConfigurationFeed, Problem } from '@tocsin/nest-shell';
import type { Output, Pipeline, Tx } from '@tocsin/postgres';
import { conclude } from '../conclude.ts';
import { storeFinished } from '../investigation-store.ts';
import { type AskedInvestigation, lockAsked, storeProgress, storeSaid } from './asked-store.ts';
import { eventOutput, eventsOf } from './investigator-events.ts';
import type {
  InvestigationPath,
  InvestigationProgress,
  InvestigationResult,
  InvestigatorEvent,
} from './investigator.dto.ts';
import { rankedHypotheses } from './read-result.ts';

export interface CallParts {
  pipeline: Pick<Pipeline, 'commitCommand'>;
  feed: Pick<ConfigurationFeed, 'workspace'>;
  clock: Clock;
  /** Read each time: the public address is final only once the HTTP server listens. */
  publicUrl: () => string;
}

export interface InvestigationState {
  id: string;
  incident_id: string;
  status: AskedInvestigation['status'];
}

const MINUTE_MS = 60_000;
/** Where the workspace names no investigator any more, the one that was asked may still finish. */
const DEFAULT_RESULT_MINUTES = 60;

/** What an investigator tells of an investigation: by call, or in its answer. Each is one transaction with its events. */
export class InvestigatorCalls {
  constructor(private readonly parts: CallParts) {}

  /** @throws Problem not-found, wrong-state where it has ended */
  progress(caller: Caller, path: InvestigationPath, input: InvestigationProgress): Promise<InvestigationState> {
    return this.on(caller, path, async (tx, asked, now) => {
      const minutes = this.parts.feed.workspace(asked.workspaceId)?.body.investigator?.resultMinutes;
      const dueAt = new Date(now.getTime() + (minutes ?? DEFAULT_RESULT_MINUTES) * MINUTE_MS);
      await storeProgress(tx, asked.id, { message: input.message ?? null, now, dueAt });
      return { result: stateOf(asked, 'running'), outputs: await said(tx, asked, input.events, now) };
    });
  }

  /** @throws Problem not-found, wrong-state where it has ended */
  result(caller: Caller, path: InvestigationPath, input: InvestigationResult): Promise<InvestigationState> {
    return this.on(caller, path, (tx, asked, now) => this.finish(tx, asked, input, now));
  }

  /** The result that an answer holds; one that was told by call meanwhile stands. */
  async answered(asked: AskedInvestigation, input: InvestigationResult): Promise<void> {
    const { id, incidentId, workspaceId } = asked;
    await this.parts.pipeline.commitCommand(async (tx) => {
      const now = await lockAsked(tx, { id, incidentId, workspaceId });
      if (!now || hasEnded(now)) return { result: undefined, outputs: [] };
      return { ...(await this.finish(tx, now, input, this.parts.clock())), result: undefined };
    });
  }

  /** It will bring no result. */
  async failed(asked: AskedInvestigation, summary: string): Promise<void> {
    await this.answered(asked, { status: 'failed', summary, hypotheses: [], recommendations: [], events: [] });
  }

  private async finish(tx: Tx, asked: AskedInvestigation, input: InvestigationResult, now: Date) {
    const hypotheses = rankedHypotheses(input.hypotheses);
    const finished = { id: asked.id, status: input.status, summary: input.summary, hypotheses };
    const drafts = input.recommendations.map(({ potential_savings: potentialSavings, ...rest }) => ({
      ...rest,
      potentialSavings,
    }));
    const events = await said(tx, asked, input.events, now);
    await storeFinished(tx, [finished], now);
    const told = await conclude(tx, asked, { finished, drafts }, { now, publicUrl: this.parts.publicUrl() });
    return { result: stateOf(asked, input.status), outputs: [...events, ...told] };
  }

  private on(
    { workspaceId }: Caller,
    { id: incidentId, rca: id }: InvestigationPath,
    change: (
      tx: Tx,
      asked: AskedInvestigation,
      now: Date,
    ) => Promise<{ result: InvestigationState; outputs: Output[] }>,
  ): Promise<InvestigationState> {
    return this.parts.pipeline.commitCommand(async (tx) => {
      const asked = await lockAsked(tx, { id, incidentId, workspaceId });
      if (!asked)
        throw new Problem('not-found', 'There is no such investigation that your investigator was asked for.');
      if (hasEnded(asked)) throw new Problem('wrong-state', `The investigation is ${asked.status} already.`);
      return change(tx, asked, this.parts.clock());
    });
  }
}

const hasEnded = ({ status }: AskedInvestigation): boolean => status === 'completed' || status === 'failed';
const stateOf = (asked: AskedInvestigation, status: InvestigationState['status']): InvestigationState => ({
  ...{ id: asked.id, incident_id: asked.incidentId, status },
});

async function said(
  tx: Tx,
  asked: AskedInvestigation,
  given: readonly InvestigatorEvent[],
  now: Date,
): Promise<Output[]> {
  const events = eventsOf(asked, given, now);
  const ids = events.map(({ id }) => id);
  const fresh = await storeSaid(tx, asked, ids, now);
  return events.filter(({ id }) => fresh.delete(id)).map(eventOutput);
}
