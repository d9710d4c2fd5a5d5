import type { FastifyReply } from 'fastify';

/** A signal that is aborted if the client disconnects before it has its answer. */
export function whileOpen(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort();
  });
  return controller.signal;
}
