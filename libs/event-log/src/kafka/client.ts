import kafkajs, { type Kafka, type KafkaConfig } from 'kafkajs';
import type { EventLogLogger } from '../errors.ts';
import { logCreatorFor } from './log-creator.ts';
import { patchKafkajs } from './patches.ts';
import { SocketGate } from './socket-gate.ts';

export interface KafkaOptions {
  brokers: string[];
  clientId: string;
  /** Before every topic and group name. */
  prefix?: string;
  /** Copies of each record when topics are created; default 1. From 3 on, two must have a record before it counts. */
  replication?: number;
  logger?: EventLogLogger;
  ssl?: KafkaConfig['ssl'];
  sasl?: KafkaConfig['sasl'];
  /** How long one produce request may take, retries included; default 10 s. */
  appendTimeoutMs?: number;
  /** A consumer that is silent for longer loses its partitions; default 6 s. */
  sessionTimeoutMs?: number;
}

/** Patient, so that an outage does not end a client; what may not wait has its own deadline, a consumer that ends is rebuilt. */
const RETRY = { initialRetryTime: 100, maxRetryTime: 1_000, retries: 30 };

/** A kafkajs client and the door of all its sockets. */
export interface Client {
  kafka: Kafka;
  gate: SocketGate;
}

/** One client per producer, admin or consumer, so that each can be thrown away alone. */
export function createClient(options: KafkaOptions & { logger: EventLogLogger }, retries = RETRY.retries): Client {
  patchKafkajs();
  const gate = new SocketGate();
  const kafka = new kafkajs.Kafka({
    brokers: options.brokers,
    clientId: options.clientId,
    retry: { ...RETRY, retries, restartOnFailure: () => Promise.resolve(false) },
    connectionTimeout: 3_000,
    requestTimeout: 30_000,
    socketFactory: gate.factory,
    logLevel: kafkajs.logLevel.WARN,
    logCreator: logCreatorFor(options.logger),
    ...(options.ssl === undefined ? {} : { ssl: options.ssl }),
    ...(options.sasl === undefined ? {} : { sasl: options.sasl }),
  });
  return { kafka, gate };
}
