import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/**
 * Ends a connection that has more requests open at once than `most`. Node reads a connection on until as much is unsent as a
 * buffer holds, but hands out all requests that came in one packet: thousands, whose answers would wait for one another in memory.
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
