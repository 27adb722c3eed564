// Sabotage for the crash suite, loaded before the normalizer: it moves the group's offset before the batch is handled.
// A kill in between skips the batch for ever. The suite must notice.
import { setTimeout as pause } from 'node:timers/promises';
import kafkajs from 'kafkajs';

const DELAY_MS = 150;
const { consumer } = kafkajs.Kafka.prototype;

kafkajs.Kafka.prototype.consumer = function (...options) {
  const made = consumer.apply(this, options);
  const run = made.run.bind(made);
  made.run = ({ eachBatch, ...rest }) =>
    run({
      ...rest,
      eachBatch: async (payload) => {
        const { topic, partition } = payload.batch;
        await made
          .commitOffsets([{ topic, partition, offset: String(BigInt(payload.batch.lastOffset()) + 1n) }])
          .catch(() => undefined);
        await pause(DELAY_MS);
        return eachBatch(payload);
      },
    });
  return made;
};
