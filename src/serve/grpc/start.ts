import { once } from 'node:events';
import { type AddressInfo, createServer, type Server as Listener } from 'node:net';
import type { Server, ServerCredentials } from '@grpc/grpc-js';
import { ScoreBatchError } from '../../errors.ts';
import { limitConnections } from '../connection-limit.ts';
import type { Service } from '../service.ts';
import type { ServeSettings, Tls } from '../settings.ts';
import { inferenceCalls } from './calls.ts';
import { createGuard } from './guard.ts';
import { addHealth, type Health } from './health.ts';
import { type GrpcPackages, INFERENCE, loadPackages, PROTO } from './packages.ts';

/** A gRPC server that listens. */
export interface GrpcServer {
  /** Host and port. */
  readonly address: string;
  /**
   * Asks every client to reconnect elsewhere once its calls are answered, and after `ms` ends connections that did not. Still
   * accepts new connections.
   */
  drain(ms: number): void;
  /** Stops listening, answers open calls, and ends what is still open after `ms`; default `settings.drain.endMs`. */
  close(ms?: number): Promise<void>;
}

/** A connection that is silent for this long is pinged. */
const KEEPALIVE_MS = 60_000;

const MIB = 2 ** 20;

/**
 * Listens for the Open Inference Protocol over gRPC, with health and reflection, on `settings.grpcPort`.
 *
 * @throws ScoreBatchError `configuration` if a package is not installed or TLS cannot be set up, `unavailable` if the port is taken
 */
export async function startGrpc(service: Service): Promise<GrpcServer> {
  const { settings } = service;
  const packages = await loadPackages();
  const { grpc } = packages;
  const { limits } = settings;
  let health: Health | undefined;
  const guard = createGuard(packages, settings, () => health?.refresh());
  const server = new grpc.Server({
    'grpc.max_receive_message_length': limits.body,
    // No limit: an answer may be larger than its request.
    'grpc.max_send_message_length': -1,
    // In MiB, unlimited by default. Streams beyond it are refused.
    'grpc-node.max_session_memory': Math.max(64, Math.ceil((8 * limits.body) / MIB)),
    'grpc.max_concurrent_streams': limits.streams,
    'grpc.keepalive_time_ms': KEEPALIVE_MS,
    interceptors: [guard.interceptor],
  });
  health = addServices(packages, server, service);
  const listener = createServer({ noDelay: true });
  limitConnections(listener, limits.connections);
  const connections = server.createConnectionInjector(credentials(packages, settings.tls));
  listener.on('connection', (socket) => {
    if (!socket.destroyed) connections.injectConnection(socket);
  });
  const endpoint = await listen(listener, settings);
  return {
    address: endpoint,
    drain(ms) {
      health.refresh();
      connections.drain(ms);
    },
    async close(ms = settings.drain.endMs) {
      listener.close();
      health.refresh();
      health.end();
      guard.endStreams();
      const late = setTimeout(() => server.forceShutdown(), ms);
      await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
      clearTimeout(late);
    },
  };
}

function addServices(packages: GrpcPackages, server: Server, service: Service): Health {
  const { loader, health, reflection } = packages;
  // Shapes are int64.
  const definitions = loader.loadSync([PROTO, health.protoPath], { keepCase: true, longs: String, defaults: true });
  const inference = definitions[INFERENCE] as Parameters<Server['addService']>[0];
  const infer = inference.ModelInfer;
  if (infer === undefined) throw new Error(`${PROTO} has no ModelInfer`);
  const plain = {
    ...infer,
    requestDeserialize: (bytes: Buffer) => bytes,
    responseSerialize: (bytes: Buffer) => bytes,
  };
  server.addService({ ...inference, ModelInfer: plain }, inferenceCalls(packages, service));
  new reflection.ReflectionService(definitions).addToServer(server);
  return addHealth(packages, server, service);
}

function credentials({ grpc }: GrpcPackages, tls: Tls | undefined): ServerCredentials {
  if (tls === undefined) return grpc.ServerCredentials.createInsecure();
  const { certificate, key, clientCa } = tls;
  const pair = { private_key: Buffer.from(key), cert_chain: Buffer.from(certificate) };
  const ca = clientCa === undefined ? null : Buffer.from(clientCa);
  return grpc.ServerCredentials.createSsl(ca, [pair], clientCa !== undefined);
}

/** The package's own server accepts any number of connections. */
async function listen(listener: Listener, { host, grpcPort = 0 }: ServeSettings): Promise<string> {
  const shownHost = host.includes(':') ? `[${host}]` : host;
  listener.listen({ host, port: grpcPort });
  try {
    await once(listener, 'listening');
  } catch (cause) {
    throw new ScoreBatchError('unavailable', `gRPC cannot listen on ${shownHost}:${grpcPort}`, {
      details: [cause instanceof Error ? cause.message : String(cause)],
      hint: 'choose another port with --grpc-port, or use --no-grpc',
      cause,
    });
  }
  return `${shownHost}:${(listener.address() as AddressInfo).port}`;
}
