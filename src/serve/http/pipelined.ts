import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/**
 * Ends a connection with more than `most` open requests. Node stops reading once a buffer of answers is unsent, but emits all
 * requests of one packet: thousands, whose answers would queue up in memory.
 */
export function limitPipelined(app: FastifyInstance, most: number): void {
  const open = new WeakMap<Socket, number>();
  app.addHook('onRequest', ({ raw: { socket } }, reply, next) => {
    const count = (open.get(socket) ?? 0) + 1;
    open.set(socket, count);
    reply.raw.once('close', () => open.set(socket, (open.get(socket) ?? 1) - 1));
    if (count <= most) {
      next();
      return;
    }
    reply.hijack();
    socket.destroy();
  });
}
