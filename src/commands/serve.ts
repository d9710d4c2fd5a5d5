import { once } from 'node:events';
import path from 'node:path';
import type { Context } from '../context.ts';
import { ScoreBatchError } from '../errors.ts';
import { startServing } from '../serve/process/serving.ts';
import { DEFAULT_LIMITS, type ServeSettings } from '../serve/settings.ts';
import { type ModelFlags, sessionOptions } from './options.ts';

export interface ServeFlags extends ModelFlags {
  readonly host?: string;
  readonly port?: number;
  readonly grpcPort?: number;
  /** False with `--no-grpc`. */
  readonly grpc?: boolean;
}

/** Answers requests until a signal ends it. */
export async function serveCommand(bundles: readonly string[], flags: ServeFlags, context: Context): Promise<void> {
  if (bundles.length === 0) throw new ScoreBatchError('usage', 'no bundle is named', { hint: 'score-batch serve models/iris' });
  const settings: ServeSettings = {
    bundles: bundles.map((folder) => ({ folder: path.resolve(context.folder, folder), canary: undefined })),
    host: flags.host ?? '127.0.0.1',
    port: flags.port ?? 8080,
    grpcPort: flags.grpc === false ? undefined : (flags.grpcPort ?? 8081),
    processes: 1,
    ...sessionOptions(flags),
    limits: DEFAULT_LIMITS,
    maxDelayMs: 0,
    drain: { leadMs: 5000, endMs: 30_000 },
    origins: [],
    hosts: [],
    tokens: [],
    tls: undefined,
  };
  const serving = await startServing(settings);
  context.console.info(`listening on ${serving.addresses.http}`);
  if (!context.signal.aborted) await once(context.signal, 'abort');
  await serving.close();
}
