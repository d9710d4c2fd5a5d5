// The limit: a handler of fastify that reads a JSON body and says nothing of it.
import fastify from 'fastify';

const app = fastify();
app.post('/', async () => ({ ok: true }));
await app.listen({ host: '127.0.0.1', port: Number(process.argv[2]) });
