import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startKafkaBroker } from './kafka-broker/broker.ts';
import { kafkaTestConfig } from './kafka-broker/config.ts';
import { dockerAnswers, startKafkaContainer } from './kafka-broker/container.ts';
import { CACHE, findJava, hasJars } from './kafka-broker/jars.ts';

export { type KafkaBroker, type KafkaBrokerOptions, startKafkaBroker } from './kafka-broker/broker.ts';

/** A broker that tests share. `stop` ends it if it is ours. */
export interface TestKafka {
  brokers: string[];
  /** Of the broker, where it is a process of this machine that was started here. */
  pid?: number;
  stop(): Promise<void>;
}

let running: Promise<TestKafka> | undefined;

/**
 * A Kafka broker for tests, one per process: TEST_KAFKA_BROKERS, else a Docker engine, else local Java 17+ with the jars
 * that Maven fetches. It never skips: without any of them it fails and says what to install.
 */
export const testKafka = (): Promise<TestKafka> => (running ??= start());

async function start(): Promise<TestKafka> {
  const { brokers } = kafkaTestConfig();
  if (brokers) return { brokers, stop: () => Promise.resolve() };
  const tried: string[] = ['TEST_KAFKA_BROKERS is not set'];
  if (await dockerAnswers()) {
    try {
      return await startKafkaContainer();
    } catch (error) {
      tried.push(`a Docker engine answers, but no broker started there: ${String(error)}`);
    }
  } else tried.push('no Docker engine answers');
  if (!(await findJava())) tried.push('no Java 17 or newer');
  else if (!(await hasJars())) tried.push('Java is there, but not Maven, which fetches the broker');
  else return startLocal();
  throw new Error(
    `No Kafka broker for the integration tests:\n- ${tried.join('\n- ')}\n` +
      'Set TEST_KAFKA_BROKERS=host:port, or start Docker, or install Java 17+ and Maven (Debian: apt-get install openjdk-17-jre-headless maven).',
  );
}

async function startLocal(): Promise<TestKafka> {
  await mkdir(CACHE, { recursive: true });
  const directory = await mkdtemp(join(CACHE, 'broker-'));
  const broker = await startKafkaBroker({ directory });
  return {
    brokers: broker.brokers,
    pid: broker.pid,
    stop: async () => {
      await broker.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
