import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { ScoreBatchError, systemCode } from '../../errors.ts';

interface Place {
  readonly host: string;
  readonly port: number;
}

/**
 * Listens briefly, so that a taken port is noticed before models are loaded.
 *
 * @param name of the protocol, for the message
 * @returns the port, or the one that the system chose for 0
 * @throws ScoreBatchError `unavailable` if another process has it, `permission`, or `configuration` if the machine has no such
 * address
 */
export async function tryPort(name: 'HTTP' | 'gRPC', { host, port }: Place): Promise<number> {
  const server = createServer();
  server.listen({ host, port });
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw cannotListen(name, { host, port }, cause);
  }
  const bound = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return bound.port;
}

/** The error for a server that cannot listen. */
export function cannotListen(name: 'HTTP' | 'gRPC', { host, port }: Place, cause: unknown): ScoreBatchError {
  const code = systemCode(cause);
  const place = `port ${port} of ${host}`;
  const flag = name === 'HTTP' ? '--port' : '--grpc-port';
  if (code === 'EADDRINUSE') {
    return new ScoreBatchError('unavailable', `another process listens on ${place}`, {
      hint: `stop it, or choose another port for ${name} with ${flag}`,
      cause,
    });
  }
  if (code === 'EACCES') {
    return new ScoreBatchError('permission', `this user may not listen on ${place}`, {
      hint: `choose a port above 1023 for ${name} with ${flag}`,
      cause,
    });
  }
  return new ScoreBatchError('configuration', `${name} cannot listen on ${place} (${code ?? 'unknown error'})`, {
    hint: 'set --host to an address of this machine, such as 127.0.0.1, or to 0.0.0.0 for all',
    cause,
  });
}
