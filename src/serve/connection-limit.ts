import type { Server, Socket } from 'node:net';

/**
 * Closes connections beyond `most` open ones. Not with `maxConnections`: a cluster would hand a refused connection from process
 * to process.
 */
export function limitConnections(server: Server, most: number): void {
  let open = 0;
  server.on('connection', (socket: Socket) => {
    open += 1;
    socket.once('close', () => {
      open -= 1;
    });
    if (open > most) socket.destroy();
  });
}
