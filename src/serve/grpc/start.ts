import type { Server, ServerCredentials } from '@grpc/grpc-js';
import { ScoreBatchError } from '../../errors.ts';
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
  /** Asks every client to go elsewhere once its calls are answered, and ends after `ms` those that did not. New connections are still taken. */
  drain(ms: number): void;
  /** Stops listening, answers the calls that are open, and ends what is still open after `settings.drain.endMs`. */
  close(): Promise<void>;
}

/** Connections whose other side is silent for this long are asked whether it is there. */
const KEEPALIVE_MS = 60_000;

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
    'grpc.max_send_message_length': limits.body,
    'grpc.max_concurrent_streams': limits.streams,
    'grpc.keepalive_time_ms': KEEPALIVE_MS,
    interceptors: [guard.interceptor],
  });
  health = addServices(packages, server, service);
  const endpoint = await listen(server, credentials(packages, settings.tls), settings);
  return {
    address: endpoint,
    drain(ms) {
      health.refresh();
      server.drain(endpoint, ms);
    },
    async close() {
      health.refresh();
      health.end();
      guard.endStreams();
      const late = setTimeout(() => server.forceShutdown(), settings.drain.endMs);
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

async function listen(server: Server, allowed: ServerCredentials, { host, grpcPort = 0 }: ServeSettings): Promise<string> {
  const shownHost = host.includes(':') ? `[${host}]` : host;
  try {
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(`${shownHost}:${grpcPort}`, allowed, (error, bound) => (error ? reject(error) : resolve(bound)));
    });
    return `${shownHost}:${port}`;
  } catch (cause) {
    server.forceShutdown();
    const message = cause instanceof Error ? cause.message : String(cause);
    const [, why = message] = /Errors: \[(.*)\]/.exec(message) ?? [];
    throw new ScoreBatchError('unavailable', `gRPC cannot listen on ${shownHost}:${grpcPort}`, {
      details: [why],
      hint: 'choose another port with --grpc-port, or --no-grpc',
      cause,
    });
  }
}
