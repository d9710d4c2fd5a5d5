import { setTimeout as sleep } from 'node:timers/promises';
import { withoutValues } from '../../without-values.ts';
import type { GrpcServer } from '../grpc/start.ts';
import { listenHttp } from '../http/listener.ts';
import { buildHttp } from '../http/server.ts';
import type { Models } from '../models.ts';
import type { OnlineModel } from '../online-model.ts';
import { exampleRows } from '../predict/examples.ts';
import { loadOnlineModel } from '../score/load-model.ts';
import type { Log, MetricsText, Service } from '../service.ts';
import type { ServeSettings } from '../settings.ts';
import type { Addresses, Leaving } from './messages.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { modelsOf, type Served } from './models.ts';

/** A process that answers. */
export interface Serving {
  readonly service: Service;
  readonly addresses: Addresses;
  /**
   * Stops answering without failing a request. With `ending`, readiness ends at once, and new connections are accepted for
   * `drain.leadMs`, while clients move away. With `replaced`, other processes accept new connections from now on, and open ones
   * are answered for `drain.leadMs`. Each answer closes its connection. What is still open then has `drain.endMs`.
   */
  leave(why: Leaving): Promise<void>;
  /** Ends at once. */
  close(): Promise<void>;
}

/** All models of a process, each proved. */
export interface Loaded {
  readonly service: Service;
  readonly metrics: Metrics | undefined;
  /**
   * @param maxRows most rows per request of each model, in the order of `Models.list`
   * @throws ScoreBatchError `unavailable` if a port is taken
   */
  listen(maxRows?: readonly number[]): Promise<Serving>;
}

interface Around {
  readonly log: Log;
  /** The metrics of all processes; by default only this one's. */
  readonly allMetrics?: (own: Metrics) => Promise<MetricsText>;
  /** A model's device failed, and will not work again in this process. Called once; the process is no longer ready. */
  readonly onBroken?: () => void;
}

const SILENT: Log = { warn: () => undefined, debug: () => undefined, bug: () => undefined };

/**
 * Loads all bundles, and listens once all have proved themselves.
 *
 * @throws ScoreBatchError `configuration` if a bundle does not, `unavailable` if a port is taken
 */
export async function startServing(settings: ServeSettings): Promise<Serving> {
  return await (await loadServing(settings, { log: SILENT })).listen();
}

/** Loads all bundles. @throws ScoreBatchError `configuration` if one does not prove itself */
export async function loadServing(
  settings: ServeSettings,
  { log, allMetrics = alone, onBroken = () => undefined }: Around,
): Promise<Loaded> {
  const metrics = settings.metrics ? await createMetrics() : undefined;
  const served: Served[] = [];
  let broken = false;
  const lookups = settings.features && metrics?.lookups(() => served.map(({ model }) => model));
  // One after another, because each measures its speed.
  for (const { folder, canary } of settings.bundles) {
    let model: OnlineModel | undefined;
    model = await loadOnlineModel(folder, settings, {
      run(rows) {
        if (model !== undefined) metrics?.run(model, rows);
      },
      deviceFailed({ details }, outOfMemory) {
        const fields = { model: model?.name, version: model?.version };
        // The runtime's message may quote its input.
        const why = details.map(withoutValues).join(' ');
        if (outOfMemory) log.warn(`a run did not fit into the memory of its device: ${why}`, fields);
        else if (!broken) {
          broken = true;
          log.warn(`the device of a model failed, so this process must be replaced: ${why}`, fields);
          onBroken();
        }
      },
      lookup: {
        called(outcome, seconds) {
          if (model !== undefined) lookups?.called(model, outcome, seconds);
        },
        nulls(reason, count) {
          if (model !== undefined) lookups?.nulls(model, reason, count);
        },
        pausing(paused, why) {
          const fields = { model: model?.name, version: model?.version };
          const what = paused ? `calls to Feast fail, so they pause for a while: ${why}` : 'Feast answers again';
          log.warn(what, fields);
        },
      },
    });
    // Read example rows now, not at the first request: the file may be gone by then.
    await exampleRows(model);
    served.push({ model, canary });
  }
  const models = await modelsOrNone(served);
  metrics?.watch(served);
  let leaving: Leaving | undefined;
  const service: Service = {
    models,
    settings,
    ready: () => leaving !== 'ending' && !broken,
    draining: () => leaving !== undefined || broken,
    observe: (observation) => metrics?.observe(observation),
    metrics: metrics && (() => allMetrics(metrics)),
    log,
  };
  const leave = (why: Leaving) => {
    // `ending` is final.
    if (leaving !== 'ending') leaving = why;
  };
  return {
    service,
    metrics,
    listen(maxRows = []) {
      for (const [at, model] of models.list().entries()) model.setMaxRows(maxRows[at] ?? model.maxRows);
      return listen(service, leave);
    },
  };
}

/** Closes all sessions if the models do not fit together. */
async function modelsOrNone(served: readonly Served[]): Promise<Models> {
  try {
    return modelsOf(served);
  } catch (error) {
    for (const { model } of served) await model.close();
    throw error;
  }
}

async function alone(own: Metrics): Promise<MetricsText> {
  return await own.text([await own.collect()]);
}

async function listen(service: Service, mark: (why: Leaving) => void): Promise<Serving> {
  const { settings, models } = service;
  const { leadMs, endMs } = settings.drain;
  const http = await listenHttp(await buildHttp(service), settings);
  const grpc =
    settings.grpcPort === undefined
      ? undefined
      : await startGrpcOf(service).catch(async (error: unknown) => {
          http.stopAccepting();
          await http.end(0);
          throw error;
        });
  const end = async (ms: number, grpcClosed: Promise<void> | undefined): Promise<void> => {
    http.stopAccepting();
    await Promise.all([http.end(ms), grpcClosed]);
    for (const model of models.list()) await model.close();
  };
  return {
    service,
    addresses: { http: http.address, grpc: grpc?.address },
    async leave(why) {
      mark(why);
      if (why === 'ending') {
        // Clients told to reconnect elsewhere may come back until the listener closes.
        grpc?.drain(leadMs + endMs);
        await sleep(leadMs);
        await end(endMs, grpc?.close());
        return;
      }
      // Clients told to reconnect reach the processes that took over.
      const grpcClosed = grpc?.close();
      http.stopAccepting();
      await Promise.race([http.closed, sleep(leadMs)]);
      await end(endMs, grpcClosed);
    },
    close: () => end(0, grpc?.close(0)),
  };
}

/** The gRPC packages are loaded only if it is served. */
async function startGrpcOf(service: Service): Promise<GrpcServer> {
  const { startGrpc } = await import('../grpc/start.ts');
  return await startGrpc(service);
}
