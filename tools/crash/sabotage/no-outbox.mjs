// Sabotage for the crash suite, loaded before the correlator: what it had not published when it was killed is forgotten,
// as if outputs were sent after the commit from memory. The suite must notice.
import { setTimeout as pause } from 'node:timers/promises';
import kafkajs from 'kafkajs';
import pg from 'pg';

const DELAY_MS = 150;
const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
await client.connect();
// Before its first boot there is no such table, and nothing to forget.
await client.query('delete from dedup_correlator.outbox').catch((error) => {
  if (error.code !== '42P01' && error.code !== '3F000') throw error;
});
await client.end();

const { producer } = kafkajs.Kafka.prototype;
kafkajs.Kafka.prototype.producer = function (...options) {
  const made = producer.apply(this, options);
  for (const name of ['send', 'sendBatch']) {
    const original = made[name].bind(made);
    made[name] = async (records) => {
      await pause(DELAY_MS);
      return original(records);
    };
  }
  return made;
};
