import { base32 } from '@tocsin/contracts';
import type { EventLog } from '@tocsin/event-log';
import type { Clock, ConfigurationFeed, Logger, Random } from '@tocsin/nest-shell';
import type { Arrival } from '../accept-receipt.ts';
import type { IngressConfig } from '../config.ts';
import type { IntakeRules } from '../intake-rule.ts';
import { clientNetwork, parseNetworks } from '../limits/client-network.ts';
import { RejectionLog } from '../rejection-log.ts';
import { AnswerReports } from './answer-reports.ts';
import { AnswersLog } from './answers-log.ts';
import { Notices } from './notices.ts';

const SETTLE_MS = 5_000;

interface AnswersParts {
  eventLog: EventLog;
  feed: Pick<ConfigurationFeed, 'webhook'>;
  rules: IntakeRules;
  clock: Clock;
  random: Random;
  log: Logger;
  config: Pick<IngressConfig, 'TRUSTED_PROXIES'>;
}

/** What is said about the gateway's answers. */
export interface Answers {
  reports: AnswerReports;
  notices: Notices;
  /** Says what is still counted, and stops. */
  stop(): Promise<void>;
}

export function createAnswers({ eventLog, feed, rules, clock, random, log, config }: AnswersParts): Answers {
  const now = () => clock().getTime();
  const answers = new AnswersLog({ eventLog, log, now, runId: base32(random(16)) });
  const nameOf = (id: string) => feed.webhook(id)?.body.name ?? id;
  const notices = new Notices({ eventLog, log, now, nameOf });
  const rejections = new RejectionLog(log);
  const timer = setInterval(() => rejections.settle(now()), SETTLE_MS).unref();
  const trusted = parseNetworks(config.TRUSTED_PROXIES);
  const clientOf = ({ peer, headers }: Arrival) => clientNetwork(peer, headers['x-forwarded-for'], trusted);
  return {
    reports: new AnswerReports({ answers, notices, rejections, rules, now, random, clientOf }),
    notices,
    stop: async () => {
      clearInterval(timer);
      rejections.tellAll();
      await answers.stop(); // it knows how long the log may keep it
      void notices.stop();
    },
  };
}
