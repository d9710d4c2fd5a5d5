import type { Server } from '@grpc/grpc-js';
import type { Service } from '../service.ts';
import { type GrpcPackages, INFERENCE } from './packages.ts';

/** How often watchers learn whether the server is still ready, beside each call that asks. */
const EVERY_MS = 250;

/** gRPC's health service. */
export interface Health {
  /** Takes over whether the server is ready. */
  refresh(): void;
  end(): void;
}

/** Tells of the server as a whole (the empty name) and of the service of inference. */
export function addHealth({ health }: GrpcPackages, server: Server, service: Service): Health {
  const current = (): 'SERVING' | 'NOT_SERVING' => (service.ready() && !service.draining() ? 'SERVING' : 'NOT_SERVING');
  let told = current();
  const implementation = new health.HealthImplementation({ '': told, [INFERENCE]: told });
  implementation.addToServer(server);
  const refresh = () => {
    const now = current();
    if (now === told) return;
    told = now;
    for (const name of ['', INFERENCE]) implementation.setStatus(name, now);
  };
  const timer = setInterval(refresh, EVERY_MS).unref();
  return { refresh, end: () => clearInterval(timer) };
}
