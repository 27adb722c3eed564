import kafkajs, { type logCreator as LogCreator } from 'kafkajs';
import type { EventLogLogger } from '../errors.ts';

/** What kafkajs reports at ERROR or WARN although it heals by itself: topics that exist, elections, rebalances, lost connections. */
const healing = [
  'already exists',
  'Topic creation errors', // createTopics throws it where it matters
  'TOPIC_ALREADY_EXISTS',
  'coordinator is not available',
  'COORDINATOR_NOT_AVAILABLE',
  'coordinator is loading',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'not the correct coordinator',
  'rebalanc',
  'REBALANCE_IN_PROGRESS',
  'not aware of this member',
  'UNKNOWN_MEMBER_ID',
  'ILLEGAL_GENERATION',
  'generation id',
  'leadership election',
  'LEADER_NOT_AVAILABLE',
  'not the leader',
  'does not host this topic',
  'CONCURRENT_TRANSACTIONS',
  'Connection error',
  'Connection timeout',
  'Closed connection',
  'Failed to connect',
  'ECONNREFUSED',
  'ECONNRESET',
  'Crash:', // the membership reports its crash itself
  'Restarting the consumer',
];

/** kafkajs's levels as numbers, which is what its log entries carry. */
const levels: { WARN: number } = { WARN: kafkajs.logLevel.WARN };

interface Entry {
  level: number;
  namespace: string;
  log: { message: string; error?: string; groupId?: string; broker?: string };
}

/** kafkajs's log in ours: what heals by itself goes to debug, chatter too. */
export const logCreatorFor =
  (logger: EventLogLogger): LogCreator =>
  () =>
  ({ level, namespace, log }: Entry) => {
    const { message, error = '', groupId, broker } = log;
    const text = `${message} ${error}`;
    const fields = {
      client: namespace,
      detail: text.trim(),
      ...(groupId ? { group: groupId } : {}),
      ...(broker ? { broker } : {}),
    };
    if (level > levels.WARN || healing.some((part) => text.includes(part))) logger.debug(fields, 'kafka.client');
    else if (level === levels.WARN) logger.warn(fields, 'kafka.client');
    else logger.error(fields, 'kafka.client');
  };
