import type { InvestigatorSettings } from '@tocsin/contracts';
import type { AllowList } from '@tocsin/domain/delivery';
import type { OutboundResponse, Sender } from '@tocsin/egress';
import { type Clock, type ConfigurationFeed, type KeyRing, type Logger, Problem } from '@tocsin/nest-shell';
import type { Pipeline } from '@tocsin/postgres';
import { type AskedInvestigation, handBack, storeWaiting, takeAsked } from './asked-store.ts';
import type { InvestigatorCalls } from './investigator-calls.ts';
import { eventsOf } from './investigator-events.ts';
import { investigatorRequest, liveSecrets } from './investigator-request.ts';
import { readAnswer } from './read-result.ts';

export interface AskParts {
  pipeline: Pick<Pipeline, 'commitCommand'>;
  calls: InvestigatorCalls;
  feed: Pick<ConfigurationFeed, 'workspace'>;
  keyRing: Pick<KeyRing, 'open'>;
  sender: Pick<Sender, 'send'>;
  allow: AllowList;
  clock: Clock;
  log: Logger;
  publicUrl: () => string;
  userAgent: string;
}

const AT_ONCE = 10;
/** Longest timeout of an investigator and a margin: then somebody else may ask. */
const LEASE_MS = 135_000;
/** Seconds before the second and the third request. */
const PAUSES = [10, 60] as const;
const ATTEMPTS_MAX = PAUSES.length + 1;
const MINUTE_MS = 60_000;

type Outcome =
  | { kind: 'done' }
  | { kind: 'accepted' }
  /** `final`: another request would change nothing. */
  | { kind: 'failed'; why: string; final?: boolean };

/** Asks the workspaces' own investigators, through the guard that every address of a user goes through. */
export class AskInvestigators {
  private readonly inHand = new Set<Promise<void>>();

  constructor(private readonly parts: AskParts) {}

  /** Begins the requests that are due. Returns before they are answered. */
  async askDue(): Promise<void> {
    const { pipeline, clock, calls, log } = this.parts;
    const limit = AT_ONCE - this.inHand.size;
    if (limit <= 0) return;
    const taken = await pipeline.commitCommand(async (tx) => ({
      result: await takeAsked(tx, { now: clock(), limit, leaseMs: LEASE_MS }),
      outputs: [],
    }));
    for (const one of taken) {
      const work = (
        one.status === 'running'
          ? calls.failed(one, 'The investigator was asked, and was not heard of in time.')
          : this.ask(one)
      )
        .catch((error: unknown) => log.warn({ err: error, rca_id: one.id }, 'investigator.postponed'))
        .finally(() => this.inHand.delete(work));
      this.inHand.add(work);
    }
  }

  /** Resolves when nothing is in hand. */
  async idle(): Promise<void> {
    while (this.inHand.size > 0) await Promise.all(this.inHand);
  }

  private async ask(asked: AskedInvestigation): Promise<void> {
    const { feed, clock, log, calls } = this.parts;
    const settings = feed.workspace(asked.workspaceId)?.body.investigator;
    if (!settings) return this.change(asked, (tx) => handBack(tx, asked.id, clock()));
    const outcome = await this.outcomeOf(asked, settings);
    if (outcome.kind === 'done') return;
    if (outcome.kind === 'accepted') {
      const dueAt = new Date(clock().getTime() + settings.resultMinutes * MINUTE_MS);
      return this.change(asked, (tx) => storeWaiting(tx, asked.id, { status: 'running', dueAt }));
    }
    const { why, final } = outcome;
    log.warn({ rca_id: asked.id, attempt: asked.attempts, why }, 'investigator.failed');
    const pause = PAUSES[asked.attempts - 1];
    if (final || pause === undefined) return calls.failed(asked, `The investigator could not be asked: ${why}`);
    const dueAt = new Date(clock().getTime() + pause * 1_000);
    return this.change(asked, (tx) => storeWaiting(tx, asked.id, { status: 'requested', dueAt }));
  }

  private async outcomeOf(asked: AskedInvestigation, settings: InvestigatorSettings): Promise<Outcome> {
    if (asked.attempts > ATTEMPTS_MAX) return { kind: 'failed', why: 'each request was cut short', final: true };
    const request = this.requestOf(asked, settings);
    if ('refused' in request) return { kind: 'failed', why: request.refused, final: true };
    const response = await this.parts.sender.send(request);
    // The process goes down: another one asks when the lease has ended.
    if (response.kind === 'given-back') return { kind: 'done' };
    if (response.kind === 'no-response') return { kind: 'failed', why: `${response.reason}: ${response.error}` };
    return this.read(asked, response);
  }

  private async read(
    asked: AskedInvestigation,
    { status, body, truncated }: Extract<OutboundResponse, { kind: 'response' }>,
  ): Promise<Outcome> {
    if (status < 200 || status > 299) return { kind: 'failed', why: `it answered ${status}` };
    const answer = readAnswer(status, body, truncated);
    if (answer.kind === 'accepted') return answer;
    if (answer.kind === 'unreadable') return { kind: 'failed', why: answer.why };
    try {
      eventsOf(asked, answer.result.events, this.parts.clock());
    } catch (error) {
      if (error instanceof Problem) return { kind: 'failed', why: `its answer is not a result: ${error.message}` };
      throw error;
    }
    await this.parts.calls.answered(asked, answer.result);
    return { kind: 'done' };
  }

  private requestOf(asked: AskedInvestigation, settings: InvestigatorSettings) {
    const { feed, keyRing, clock, allow, publicUrl, userAgent } = this.parts;
    const workspace = feed.workspace(asked.workspaceId);
    const now = clock();
    let secrets: string[];
    try {
      if (!workspace) throw new Error('no workspace');
      secrets = liveSecrets(settings.secrets, now).map(({ sealed }) => keyRing.open(workspace, workspace.id, sealed));
    } catch {
      return { refused: 'its secret cannot be opened with the key ring of this process' };
    }
    return investigatorRequest(asked, { settings, secrets, allow, publicUrl: publicUrl(), userAgent, now });
  }

  private async change(asked: AskedInvestigation, run: (tx: Parameters<typeof handBack>[0]) => Promise<void>) {
    await this.parts.pipeline.commitCommand(async (tx) => ({ result: await run(tx), outputs: [] }));
    this.parts.log.debug({ rca_id: asked.id }, 'investigator.asked');
  }
}
