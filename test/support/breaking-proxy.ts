import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * Whether and how to break the n-th connection, counted from 1, after a number of bytes of answers; undefined for not at
 * all.
 */
export type Fate = (nth: number) => { readonly after: number; readonly end: 'cut' | 'stall' } | undefined;

export interface BreakingProxy {
  /** HOST:PORT */
  readonly host: string;
  /** Number of connections, and of broken ones. */
  readonly connections: () => number;
  readonly broken: () => number;
  close(): void;
}

/** A TCP proxy that breaks connections, whatever the protocol. Call `close` at the end. */
export async function startBreakingProxy(target: string, fate: Fate): Promise<BreakingProxy> {
  const [host, port] = target.split(':');
  let connections = 0;
  let broken = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    connections += 1;
    const fated = fate(connections);
    const upstream = connect(Number(port), host);
    let bytes = 0;
    let isBroken = false;
    for (const each of [socket, upstream]) {
      sockets.add(each);
      each.on('error', () => undefined);
      each.on('close', () => {
        sockets.delete(each);
        socket.destroy();
        upstream.destroy();
      });
    }
    socket.on('data', (data) => upstream.write(data));
    upstream.on('data', (data) => {
      bytes += data.length;
      if (fated === undefined || bytes < fated.after) return void socket.write(data);
      if (!isBroken) broken += 1;
      isBroken = true;
      if (fated.end === 'cut') socket.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => connections,
    broken: () => broken,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
