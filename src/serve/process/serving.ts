import { ServeFailure } from '../failure.ts';
import type { GrpcServer } from '../grpc/start.ts';
import { buildHttp } from '../http/server.ts';
import type { Models } from '../models.ts';
import { loadOnlineModel } from '../score/load-model.ts';
import type { Service } from '../service.ts';
import type { ServeSettings } from '../settings.ts';

/** A process that answers. */
export interface Serving {
  readonly service: Service;
  /** Where HTTP and gRPC listen, with the ports that the system chose. */
  readonly addresses: { readonly http: string; readonly grpc: string | undefined };
  close(): Promise<void>;
}

/**
 * Loads all bundles, and listens once all have proved themselves.
 *
 * @throws ScoreBatchError `configuration` if a bundle does not, `unavailable` if a port is taken
 */
export async function startServing(settings: ServeSettings): Promise<Serving> {
  const loaded = await Promise.all(settings.bundles.map(({ folder }) => loadOnlineModel(folder, settings)));
  const models: Models = {
    list: () => loaded,
    find(name, version) {
      const found = loaded.find((one) => one.name === name && (version === undefined || one.version === version));
      if (found === undefined) throw new ServeFailure('not found', `there is no model ${name}`);
      return found;
    },
  };
  const service: Service = { models, settings, ready: () => true, draining: () => false, observe: () => undefined };
  const http = await buildHttp(service);
  const address = await http.listen({ host: settings.host, port: settings.port });
  const grpc = settings.grpcPort === undefined ? undefined : await startGrpcOf(service);
  return {
    service,
    addresses: { http: address, grpc: grpc?.address },
    async close() {
      await Promise.all([http.close(), grpc?.close()]);
      for (const model of loaded) await model.close();
    },
  };
}

/** The packages of gRPC are loaded only where it is served. */
async function startGrpcOf(service: Service): Promise<GrpcServer> {
  const { startGrpc } = await import('../grpc/start.ts');
  return await startGrpc(service);
}
