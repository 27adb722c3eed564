/**
 * The topics table: the only place where a topic, its key, partitions and retention are written (architecture §4).
 * Partition counts of keyed topics are fixed: a change is a new topic after a drain.
 */
export interface TopicDefinition {
  readonly key: string;
  readonly partitions: number;
  /** Milliseconds; `null` for a compacted topic. */
  readonly retentionMs: number | null;
  /** Public topics follow the CloudEvents 1.0 Kafka binding, binary mode. */
  readonly public: boolean;
}

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

export const topics = {
  'webhook.received': { key: 'webhook id', partitions: 12, retentionMs: 7 * DAY, public: false },
  'correlation.inputs': { key: 'scope', partitions: 12, retentionMs: 7 * DAY, public: false },
  'alert.correlated': { key: 'scope', partitions: 12, retentionMs: 7 * DAY, public: false },
  'incident.events': { key: 'incident id', partitions: 12, retentionMs: 30 * DAY, public: true },
  'incident.state': { key: 'incident id', partitions: 12, retentionMs: null, public: true },
  'incident.commands': { key: 'incident id', partitions: 12, retentionMs: 7 * DAY, public: false },
  'change.events': { key: 'workspace id', partitions: 12, retentionMs: 30 * DAY, public: true },
  'rca.events': { key: 'incident id', partitions: 12, retentionMs: 30 * DAY, public: true },
  'delivery.events': { key: 'incident id', partitions: 12, retentionMs: 30 * DAY, public: true },
  'platform.events': { key: 'workspace id', partitions: 12, retentionMs: 7 * DAY, public: true },
  'webhook.replies': { key: 'receipt id', partitions: 1, retentionMs: 10 * MINUTE, public: false },
  'webhook.outcomes': { key: 'webhook id', partitions: 12, retentionMs: 3 * DAY, public: false },
  'dead-letters': { key: 'as source', partitions: 1, retentionMs: 30 * DAY, public: false },
} as const satisfies Record<string, TopicDefinition>;

export type Topic = keyof typeof topics;
export const topicNames = Object.keys(topics) as Topic[];
export const isTopic = (name: string): name is Topic => Object.hasOwn(topics, name);

/** A broker refuses larger records; ours stay far below (packed records hold ≤ 256 KiB). */
export const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
/** Limits of one packed record (architecture §5, Sizes). */
export const PACKED_ALERTS_MAX = 200;
export const PACKED_BYTES_MAX = 256 * 1024;
