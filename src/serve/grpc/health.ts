import type { Server } from '@grpc/grpc-js';
import type { Service } from '../service.ts';
import { type GrpcPackages, INFERENCE } from './packages.ts';

/** How often watchers learn whether the server is ready; each call to check updates it, too. */
const EVERY_MS = 250;

/** gRPC's health service. */
export interface Health {
  /** Updates the status from the server's readiness. */
  refresh(): void;
  end(): void;
}

/** Adds the health of the whole server (the empty name) and of the inference service. */
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
