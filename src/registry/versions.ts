import { z } from 'zod';
import { type ModelUri, versionUri } from '../domain/model-uri.ts';
import { ScoreBatchError } from '../errors.ts';
import { ask, askFor, getting, posting, refusal } from './ask.ts';
import type { TrackingServer } from './server.ts';

/** A version of a registered model, as the registry describes it. */
export interface ModelVersion {
  readonly name: string;
  readonly version: string;
  /** URI of its artifacts when it was created. */
  readonly source: string;
  readonly createdAt: string;
  /** `READY` if its artifacts are complete. */
  readonly status: string;
  readonly tags: ReadonlyMap<string, string>;
}

/** Tag of a version with the digest of its bundle, see `digestOf`. */
export const DIGEST_TAG = 'score_batch.digest';

const text = z.string().max(10_000);
/** MLflow's JSON has 64-bit numbers as strings. */
const number = z.union([z.number(), text]).transform(String);

const modelVersion = z
  .object({
    name: text,
    version: number.pipe(z.string().regex(/^[1-9]\d{0,9}$/)),
    source: text.default(''),
    creation_timestamp: number.default(''),
    status: text.default('READY'),
    tags: z.array(z.object({ key: text, value: text.default('') })).default([]),
  })
  .transform(
    ({ creation_timestamp: createdAt, tags, ...rest }): ModelVersion => ({
      ...{ ...rest, createdAt },
      tags: new Map(tags.map(({ key, value }) => [key, value])),
    }),
  );

const API = '/api/2.0/mlflow';

/**
 * The version that a URI means now.
 *
 * @throws ScoreBatchError `configuration` if there is no such model, alias or version, or the answer is about another one;
 * `unavailable` if its artifacts are still being written
 */
export async function findVersion(server: TrackingServer, { name, alias, version }: ModelUri): Promise<ModelVersion> {
  const request =
    alias === undefined
      ? getting(`${API}/model-versions/get`, { name, version })
      : getting(`${API}/registered-models/alias`, { name, alias });
  const { value, refused } = await ask(server, request, z.object({ model_version: modelVersion }));
  if (refused !== undefined) {
    if (!isMissing(refused)) throw refusal(server, refused);
    throw await missing(server, { name, alias, version } as ModelUri, refused.message);
  }
  const found = value.model_version;
  if (found.name !== name || (version !== undefined && found.version !== version)) {
    throw new ScoreBatchError(
      'configuration',
      `the registry at ${server.base} answered with a different model than requested`,
      {
        hint: 'check MLFLOW_TRACKING_URI',
      },
    );
  }
  if (found.status === 'READY') return found;
  const uri = versionUri(name, found.version);
  if (found.status === 'PENDING_REGISTRATION')
    throw new ScoreBatchError('unavailable', `${uri} is not ready yet`, {
      hint: 'run the same command again when its artifacts are uploaded',
    });
  throw new ScoreBatchError('configuration', `${uri} was never completely registered`, {
    hint: 'register it again, or move the alias',
  });
}

/** Where the artifacts of a version are now. */
export async function artifactUri(
  server: TrackingServer,
  { name, version }: Pick<ModelVersion, 'name' | 'version'>,
): Promise<string> {
  const request = getting(`${API}/model-versions/get-download-uri`, { name, version });
  const { artifact_uri: uri } = await askFor(server, request, z.object({ artifact_uri: text }));
  const [, model] = /^models:\/(m-[\w-]{1,100})$/.exec(uri) ?? [];
  if (model === undefined) return uri;
  // MLflow 3: the version refers to a logged model, which has its own location.
  const form = z.object({ model: z.object({ info: z.object({ artifact_uri: text }) }) });
  return (await askFor(server, getting(`${API}/logged-models/${model}`), form)).model.info.artifact_uri;
}

/** The newest ready version with a bundle of this digest, if any. */
export async function versionWithDigest(
  server: TrackingServer,
  name: string,
  digest: string,
): Promise<ModelVersion | undefined> {
  const filter = `name = '${name.replaceAll("'", "''")}' AND tags.\`${DIGEST_TAG}\` = '${digest}'`;
  const request = getting(`${API}/model-versions/search`, { filter, max_results: '20', order_by: 'version_number DESC' });
  const { model_versions: found } = await askFor(
    server,
    request,
    z.object({ model_versions: z.array(modelVersion).default([]) }),
  );
  return found.find((one) => one.name === name && one.status === 'READY' && one.tags.get(DIGEST_TAG) === digest);
}

/** Registers a model's name, unless it exists. */
export async function registerName(server: TrackingServer, name: string): Promise<void> {
  const { refused } = await ask(server, posting(`${API}/registered-models/create`, { name }), z.object({}));
  if (refused !== undefined && refused.code !== 'RESOURCE_ALREADY_EXISTS') throw refusal(server, refused);
}

export async function createVersion(
  server: TrackingServer,
  version: {
    readonly name: string;
    readonly source: string;
    readonly runId: string;
    readonly tags: Readonly<Record<string, string>>;
  },
): Promise<ModelVersion> {
  const { name, source, runId: run_id } = version;
  const tags = Object.entries(version.tags).map(([key, value]) => ({ key, value }));
  const request = posting(`${API}/model-versions/create`, { name, source, run_id, tags });
  return (await askFor(server, request, z.object({ model_version: modelVersion }))).model_version;
}

/** Points an alias to a version, whichever it pointed to before. */
export async function moveAlias(
  server: TrackingServer,
  { name, alias, version }: { readonly name: string; readonly alias: string; readonly version: string },
): Promise<void> {
  await askFor(server, posting(`${API}/registered-models/alias`, { name, alias, version }, true), z.object({}));
}

/** The version that an alias points to; undefined if there is no such alias. */
export async function versionOfAlias(server: TrackingServer, name: string, alias: string): Promise<string | undefined> {
  const request = getting(`${API}/registered-models/alias`, { name, alias });
  const { value, refused } = await ask(server, request, z.object({ model_version: modelVersion }));
  if (refused === undefined) return value.model_version.version;
  if (isMissing(refused)) return undefined;
  throw refusal(server, refused);
}

/** MLflow reports a missing alias as an invalid value. */
function isMissing({ code, message }: { readonly code: string; readonly message: string }): boolean {
  return (
    code === 'RESOURCE_DOES_NOT_EXIST' ||
    (code === 'INVALID_PARAMETER_VALUE' && /alias/i.test(message) && /not found/i.test(message))
  );
}

async function missing(server: TrackingServer, { name, alias, version }: ModelUri, message: string): Promise<ScoreBatchError> {
  const { refused } = await ask(server, getting(`${API}/registered-models/get`, { name }), z.object({}));
  const details = message === '' ? [] : [message];
  if (refused !== undefined) {
    return new ScoreBatchError('configuration', `the registry at ${server.base} has no model ${name}`, {
      details,
      hint: `\`score-batch model push BUNDLE --name ${name}\` registers it; check the name in the job file, and MLFLOW_TRACKING_URI`,
    });
  }
  const what = alias === undefined ? `version ${version}` : `alias ${alias}`;
  return new ScoreBatchError('configuration', `the model ${name} has no ${what}`, {
    details,
    hint:
      alias === undefined
        ? 'name a version that the registry has'
        : `set the alias in MLflow, or with \`score-batch model push … --alias ${alias}\``,
  });
}
