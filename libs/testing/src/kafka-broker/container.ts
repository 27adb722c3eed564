import { request } from 'node:http';
import { freePort } from '../free-port.ts';
import { kafkaTestConfig } from './config.ts';
import { clusterProperties } from './server-properties.ts';

const IMAGE = 'apache/kafka:4.2.1';
const SOCKET = '/var/run/docker.sock';
const PING_WITHIN_MS = 1_500;

/** True when a Docker engine answers a ping. A client that is installed proves nothing. */
export function dockerAnswers(): Promise<boolean> {
  const host = kafkaTestConfig().dockerHost ?? `unix://${SOCKET}`;
  const url = host.startsWith('tcp://') ? new URL(host.replace('tcp:', 'http:')) : undefined;
  const where = url ? { host: url.hostname, port: url.port } : { socketPath: host.replace('unix://', '') };
  return new Promise((resolve) => {
    const ping = request({ ...where, path: '/_ping', timeout: PING_WITHIN_MS }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    ping.once('timeout', () => ping.destroy());
    ping.once('error', () => resolve(false));
    ping.once('close', () => resolve(false));
    ping.end();
  });
}

/** A broker in a container. It tells clients the host's port, so that has to be known before it starts. */
export async function startKafkaContainer(): Promise<{ brokers: string[]; stop(): Promise<void> }> {
  const { GenericContainer, Wait } = await import('testcontainers');
  const port = await freePort();
  const container = await new GenericContainer(IMAGE)
    .withExposedPorts({ container: port, host: port })
    .withEnvironment({
      KAFKA_PROCESS_ROLES: 'broker,controller',
      KAFKA_NODE_ID: '1',
      KAFKA_LISTENERS: `PLAINTEXT://0.0.0.0:${port},CONTROLLER://localhost:19093`,
      KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://127.0.0.1:${port}`,
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
      KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
      KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:19093',
      ...environmentOf(clusterProperties),
    })
    .withWaitStrategy(Wait.forListeningPorts())
    .start();
  return {
    brokers: [`127.0.0.1:${port}`],
    stop: async () => {
      await container.stop();
    },
  };
}

/** The image reads `a.b=c` from the variable `KAFKA_A_B`. */
const environmentOf = (properties: string): Record<string, string> =>
  Object.fromEntries(
    properties.split('\n').map((line) => {
      const [name, value] = line.split('=');
      return [`KAFKA_${name!.toUpperCase().replaceAll('.', '_')}`, value!];
    }),
  );
