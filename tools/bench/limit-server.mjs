// The least that a durable ingest can do: node:http, no authentication, no parsing, one Kafka request in flight that carries
// everything that arrived meanwhile (acks=all), 202 once it is stored. What Tocsin is measured against. Prints its port.
// Arguments: brokers, topic.
import { createServer } from 'node:http';
import { connect } from 'node:net';
import kafkajs from 'kafkajs';

const [brokers = '', topic = ''] = process.argv.slice(2);
const kafka = new kafkajs.Kafka({
  clientId: 'limit',
  brokers: brokers.split(','),
  logLevel: kafkajs.logLevel.NOTHING,
  socketFactory: ({ host, port, onConnect }) => connect({ host, port, noDelay: true }, onConnect),
});
const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
await producer.connect();

let waiting = [];
let sending = false;
async function flush() {
  sending = true;
  while (waiting.length > 0) {
    const batch = waiting;
    waiting = [];
    await producer.send({ topic, acks: -1, messages: batch.map(({ body }) => ({ key: 'webhook', value: body })) }).then(
      () =>
        batch.forEach(({ response }) =>
          response.writeHead(202, { 'content-type': 'application/json' }).end('{"status":"accepted"}'),
        ),
      () => batch.forEach(({ response }) => response.writeHead(503).end()),
    );
  }
  sending = false;
}

const server = createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    waiting.push({ body: Buffer.concat(chunks), response });
    if (!sending) setImmediate(() => sending || flush());
  });
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
