import { MessagePattern } from '@nestjs/microservices';
import { isTopic, type ServiceName, type Topic } from '@tocsin/contracts';

export interface HearsOptions {
  /** Default `group`. */
  mode?: 'group' | 'broadcast-from-end';
  /** Upper bound of records per batch; default 500. */
  maxRecords?: number;
  /** Milliseconds from one read of a broker to the next; default 0. */
  gatherMs?: number;
}

const SEPARATOR = ' hears ';
export const patternOf = (service: ServiceName, topic: Topic): string => `${service}${SEPARATOR}${topic}`;
export function pairOf(pattern: string): { service: ServiceName; topic: string } | undefined {
  const [service, topic] = pattern.split(SEPARATOR);
  return service && topic ? { service: service as ServiceName, topic } : undefined;
}

/**
 * Marks the door of one service for one topic. It takes a whole batch and returns what became of it.
 * Service and topic are named together, so that several services in one process never merge handlers.
 */
export function Hears(service: ServiceName, topic: Topic, options: HearsOptions = {}): MethodDecorator {
  if (!isTopic(topic)) throw new Error(`@Hears('${service}', '${String(topic)}'): no such topic`);
  return MessagePattern<string>(patternOf(service, topic), { ...options });
}
