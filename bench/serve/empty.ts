// The upper bound: a fastify handler that reads a JSON body and ignores it.
import fastify from 'fastify';

const app = fastify();
app.post('/', async () => ({ ok: true }));
await app.listen({ host: '127.0.0.1', port: Number(process.argv[2]) });
