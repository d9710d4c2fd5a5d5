import type { FastifyReply } from 'fastify';

/** Aborted if the client goes before it has its answer. */
export function whileOpen(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort();
  });
  return controller.signal;
}
