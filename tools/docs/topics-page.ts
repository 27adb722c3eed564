import { hears, rawRecordTypes, recordTypes, services, type Topic, topicNames, topics } from '@tocsin/contracts';
import { code, table } from './markdown.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

function durationOf(ms: number | null): string {
  if (ms === null) return 'compacted';
  return ms % DAY === 0 ? `${ms / DAY} days` : `${ms / MINUTE} minutes`;
}

const typesOf = (topic: Topic): string[] =>
  Object.entries({ ...recordTypes, ...rawRecordTypes }).flatMap(([type, of]) => (of.topic === topic ? [type] : []));

export const topicsPage = (): string => `
One table in \`libs/contracts/src/topics.ts\` is the only place where these are written. Partition counts are fixed: the boot refuses a
topic that has another number. Kafka puts \`TOPIC_PREFIX\` before each name.

${table(
  ['topic', 'key', 'partitions', 'retention', 'record types', 'heard by', 'public'],
  topicNames.map((name) => {
    const { key, partitions, retentionMs, public: isPublic } = topics[name];
    const heardBy = services.filter((service) => hears[service].includes(name));
    return [
      code(name),
      key,
      String(partitions),
      durationOf(retentionMs),
      typesOf(name).map(code).join(', ') || 'none yet',
      heardBy.join(', ') || '–',
      isPublic ? 'yes' : 'no',
    ];
  }),
)}

Public topics carry snake_case JSON with CloudEvents 1.0 headers (\`ce_id\`, \`ce_source\`, \`ce_specversion\`, \`ce_type\`, \`ce_time\`, \`ce_subject\`,
\`ce_tocsinworkspace\`, \`content-type\`); internal ones camelCase JSON. Every record has the header \`type\`, and \`traceparent\` where its cause had one;
a record that was made of others carries \`mark\`: where it came from, by which a reader drops a repeat. ${Object.keys(rawRecordTypes).map(code).join(' and ')} hold raw bytes and describe them in the header \`facts\`.
The JSON Schema of each type is in \`libs/contracts/src/records.ts\`; a record is checked against it when it is written.
`;
