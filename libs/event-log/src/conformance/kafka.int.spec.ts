import { testKafka, uniquePrefix } from '@tocsin/testing';
import { openKafka } from '../kafka/index.ts';
import { removeTopics } from '../kafka/remove-topics.ts';
import type { EventLog } from '../port.ts';
import { conformance, suiteTopics, type Target } from './index.ts';

/** Short sessions, so that the slow handler of the suite outlasts one. */
const SESSION_TIMEOUT_MS = 2_000;

async function onKafka(): Promise<Target> {
  const { brokers } = await testKafka();
  const prefix = uniquePrefix();
  const logs: EventLog[] = [];
  const open = async (): Promise<EventLog> => {
    const log = await openKafka({
      brokers,
      clientId: `conformance-${logs.length}`,
      prefix,
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
    });
    logs.push(log);
    return log;
  };
  const log = await open();
  await log.ensureTopics(suiteTopics);
  return {
    log,
    another: open,
    reopen: async () => {
      await log.close();
      return open();
    },
    end: async () => {
      await Promise.all(logs.map((one) => one.close()));
      await removeTopics(brokers, prefix);
    },
  };
}

conformance('Kafka', onKafka, { durable: true });
