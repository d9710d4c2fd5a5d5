import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { isModelUri } from '../../domain/model-uri.ts';
import { ScoreBatchError, unreadable } from '../../errors.ts';
import { parseChecked } from '../../yaml/checked.ts';
import { isLoopback } from '../loopback.ts';
import { DEFAULT_LIMITS, type Limits, type LogLevel, type ServedBundle, type ServeSettings } from '../settings.ts';
import { crossChecks } from './cross-checks.ts';
import { featureStoreOf } from './feature-store-of.ts';
import { ORIGIN_FORM, originOf } from './origin.ts';
import { type ServeFile, serveSchema } from './schema.ts';
import { tlsOf } from './tls-of.ts';
import { tokensOf } from './tokens-of.ts';

/** Values of the command line, which override the file. Paths are relative to the working folder. */
export interface ServeFlags {
  readonly config?: string;
  readonly host?: string;
  readonly port?: number;
  readonly grpcPort?: number;
  /** False with `--no-grpc`. */
  readonly grpc?: boolean;
  readonly processes?: number | 'auto';
  readonly providers?: readonly string[];
  readonly requireGpu?: boolean;
  readonly maxDelay?: number;
  readonly drainLead?: number;
  readonly drainEnd?: number;
  readonly origins?: readonly string[];
  readonly tokenFile?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsClientCa?: string;
  readonly allowAnyone?: boolean;
  /** False with `--no-metrics`. */
  readonly metrics?: boolean;
  readonly log?: LogLevel;
}

interface Given {
  readonly bundles: readonly string[];
  readonly flags: ServeFlags;
  /** Working folder. */
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
}

/**
 * The settings from flags, file and environment, with all files that they name: read at the start, and again at each reload.
 *
 * @throws ScoreBatchError `configuration` with all problems of the file at once, or if beyond loopback neither a token nor a
 * client certificate would be required
 */
export async function readSettings({ bundles, flags, folder, environment }: Given): Promise<ServeSettings> {
  const { file, base } = await readServeFile(flags.config, folder, environment);
  const inFile = (name: string) => path.resolve(base, name);
  const fromFlag = (name: string) => path.resolve(folder, name);
  const pick = (flag: string | undefined, key: string | undefined): string | undefined =>
    flag === undefined ? key && inFile(key) : fromFlag(flag);
  const [cert, key] = [pick(flags.tlsCert, file.tls?.cert), pick(flags.tlsKey, file.tls?.key)];
  const clientCa = pick(flags.tlsClientCa, file.tls?.client_ca);
  if ((cert === undefined) !== (key === undefined) || (clientCa !== undefined && cert === undefined)) {
    throw new ScoreBatchError('usage', 'TLS needs both a certificate and its key', { hint: 'give --tls-cert and --tls-key' });
  }
  for (const origin of flags.origins ?? []) {
    if (originOf(origin) === origin) continue;
    throw new ScoreBatchError('usage', `--origins: ${origin} is not an origin`, { hint: ORIGIN_FORM });
  }
  const { processes = file.processes ?? 1 } = flags;
  const settings: ServeSettings = {
    bundles:
      bundles.length > 0
        ? bundles.map((one) => ({ folder: bundleIn(fromFlag, one), canary: undefined }))
        : bundlesOf(file, inFile),
    host: flags.host ?? file.host ?? '127.0.0.1',
    port: flags.port ?? file.port ?? 8080,
    grpcPort:
      flags.grpc === false ? undefined : (flags.grpcPort ?? (file.grpc_port === false ? undefined : (file.grpc_port ?? 8081))),
    processes: processes === 'auto' ? availableParallelism() : processes,
    features: featureStoreOf(file.features, environment),
    providers: flags.providers ?? file.providers ?? ['cpu'],
    requireGpu: flags.requireGpu ?? file.require_gpu ?? false,
    limits: limitsOf(file.limits),
    maxDelayMs: flags.maxDelay ?? file.max_delay ?? 0,
    drain: { leadMs: flags.drainLead ?? file.drain?.lead ?? 5000, endMs: flags.drainEnd ?? file.drain?.end ?? 20_000 },
    origins: flags.origins ?? file.origins ?? [],
    hosts: (file.hosts ?? []).map((name) => name.toLowerCase()),
    tokens: await tokensOf(pick(flags.tokenFile, file.token_file), environment),
    tls: cert === undefined || key === undefined ? undefined : await tlsOf({ cert, key, client_ca: clientCa }),
    metrics: flags.metrics === false ? false : (file.metrics ?? true),
    log: flags.log ?? file.log ?? 'info',
  };
  if (settings.bundles.length === 0) {
    throw new ScoreBatchError('usage', 'no bundle is given', {
      hint: 'name a bundle (`score-batch serve models/iris`), or list models in the file of --config',
    });
  }
  if (settings.port !== 0 && settings.port === settings.grpcPort) {
    throw new ScoreBatchError('usage', `HTTP and gRPC cannot both use port ${settings.port}`, {
      hint: 'choose another --grpc-port, or use --no-grpc',
    });
  }
  refuseOpenDoor(settings, flags.allowAnyone ?? file.allow_anyone ?? false);
  return settings;
}

async function readServeFile(
  config: string | undefined,
  folder: string,
  environment: NodeJS.ProcessEnv,
): Promise<{ readonly file: ServeFile; readonly base: string }> {
  if (config === undefined) return { file: {}, base: folder };
  const place = path.resolve(folder, config);
  const text = await readFile(place, 'utf8').catch((cause: unknown) => {
    throw unreadable(`the settings file ${place}`, cause, 'check the path after --config');
  });
  const file = parseChecked(text, serveSchema, {
    file: path.relative(folder, place),
    noun: 'settings file',
    hint: 'docs/serve-settings.md explains every key',
    environment,
    crossChecks,
  });
  return { file, base: path.dirname(place) };
}

function bundlesOf({ models = [] }: ServeFile, inFile: (name: string) => string): ServedBundle[] {
  return models.map((one) =>
    typeof one === 'string'
      ? { folder: bundleIn(inFile, one), canary: undefined }
      : { folder: bundleIn(inFile, one.bundle), canary: one.canary },
  );
}

/** The URI of a registered model is kept as it is. */
function bundleIn(place: (name: string) => string, bundle: string): string {
  return isModelUri(bundle) ? bundle : place(bundle);
}

function limitsOf(given: ServeFile['limits'] = {}): Limits {
  const { body, rows, text, queued_rows, streams, connections, head_time, request_time } = given;
  return {
    body: body ?? DEFAULT_LIMITS.body,
    rows: rows ?? DEFAULT_LIMITS.rows,
    text: text ?? DEFAULT_LIMITS.text,
    queuedRows: queued_rows ?? DEFAULT_LIMITS.queuedRows,
    streams: streams ?? DEFAULT_LIMITS.streams,
    connections: connections ?? DEFAULT_LIMITS.connections,
    headMs: head_time ?? DEFAULT_LIMITS.headMs,
    requestMs: request_time ?? DEFAULT_LIMITS.requestMs,
  };
}

function refuseOpenDoor({ host, tokens, tls }: ServeSettings, allowed: boolean): void {
  if (allowed || isLoopback(host) || tokens.length > 0 || tls?.clientCa !== undefined) return;
  throw new ScoreBatchError('configuration', `on ${host} anyone who reaches this machine could request predictions`, {
    hint: 'use --token-file or --tls-client-ca, or --allow-anyone if this is intended, such as behind a proxy that authenticates clients',
  });
}
