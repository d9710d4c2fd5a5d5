import { MODEL_URI_FORM, parseModelUri, versionUri } from '../domain/model-uri.ts';
import type { RegisteredModel } from '../domain/registered-model.ts';
import { ScoreBatchError } from '../errors.ts';
import { cached, cacheOf } from './cache.ts';
import { fetchBundle } from './fetch-bundle.ts';
import { trackingServer } from './server.ts';
import { findVersion } from './versions.ts';

/** A registered model whose bundle is on this machine. */
export interface LocatedModel {
  /** Never changes: named by the digest of its files. */
  readonly folder: string;
  readonly registered: RegisteredModel;
}

export interface LocateOptions {
  readonly environment: NodeJS.ProcessEnv;
  /** Working folder, for a cache with a relative path. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/**
 * Asks the registry which version a URI means now, and fetches its bundle.
 *
 * @throws ScoreBatchError `unavailable` if the registry is down, `permission` if it wants other credentials, `configuration`
 * for problems that a retry does not solve
 */
export async function locateModel(uri: string, { environment, folder, signal }: LocateOptions): Promise<LocatedModel> {
  const wanted = parseModelUri(uri);
  if (wanted === undefined)
    throw new ScoreBatchError('configuration', `${uri} names no version of a model`, { hint: MODEL_URI_FORM });
  const server = trackingServer(environment, signal);
  const version = await findVersion(server, wanted);
  const bundle = await fetchBundle(server, cacheOf(environment, folder), version);
  const registered = { uri, name: version.name, alias: wanted.alias ?? null, version: version.version, digest: bundle.digest };
  return { folder: bundle.folder, registered };
}

/**
 * Fetches the bundle of a pinned version, wherever its alias points now. Asks the registry only if it is not cached.
 *
 * @throws ScoreBatchError as `locateModel`, and `configuration` if the version has another bundle by now
 */
export async function locatePinned(
  pinned: RegisteredModel,
  { environment, folder, signal }: LocateOptions,
): Promise<LocatedModel> {
  const cache = cacheOf(environment, folder);
  const there = await cached(cache, pinned.digest);
  if (there !== undefined) return { folder: there, registered: pinned };
  const { name, version, digest } = pinned;
  const server = trackingServer(environment, signal);
  const bundle = await fetchBundle(server, cache, await findVersion(server, { name, version }));
  if (bundle.digest === digest) return { folder: bundle.folder, registered: pinned };
  throw new ScoreBatchError('configuration', `${versionUri(name, version)} no longer has the bundle with which it was pinned`, {
    details: [`pinned: ${digest}`, `now:    ${bundle.digest}`],
    hint: 'a version should never change; push the changed bundle as a new version',
  });
}
