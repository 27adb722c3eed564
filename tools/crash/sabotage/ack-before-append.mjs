// Sabotage for the crash suite, loaded before the gateway: it answers the sender before the record is in the log.
// A kill in between loses what was promised. The suite must notice.
import kafkajs from 'kafkajs';

const DELAY_MS = 400;
const { producer } = kafkajs.Kafka.prototype;

kafkajs.Kafka.prototype.producer = function (...options) {
  const made = producer.apply(this, options);
  for (const name of ['send', 'sendBatch']) {
    const original = made[name].bind(made);
    made[name] = (records) => {
      setTimeout(() => original(records).catch(() => undefined), DELAY_MS);
      return Promise.resolve([]);
    };
  }
  return made;
};
