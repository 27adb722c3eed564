/** The only place where the Kafka harness reads the environment. Production names are never read by tests. */
export interface KafkaTestConfig {
  /** A broker that is already there; it is used as it is and never stopped. */
  brokers: string[] | undefined;
  javaHome: string | undefined;
  dockerHost: string | undefined;
}

export function kafkaTestConfig(env: NodeJS.ProcessEnv = process.env): KafkaTestConfig {
  const brokers = env['TEST_KAFKA_BROKERS']?.split(',').map((broker) => broker.trim());
  return {
    brokers: brokers?.some((broker) => broker !== '') ? brokers.filter((broker) => broker !== '') : undefined,
    javaHome: env['JAVA_HOME'],
    dockerHost: env['DOCKER_HOST'],
  };
}
