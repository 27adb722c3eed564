// The ceiling of HTTP itself: Fastify that answers 202 and does nothing. Prints its port.
import fastify from 'fastify';

const app = fastify();
app.removeAllContentTypeParsers();
app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
app.post('/', (_request, reply) => reply.code(202).send({ status: 'accepted' }));
await app.listen({ host: '127.0.0.1', port: 0 });
process.stdout.write(`${app.server.address().port}\n`);
