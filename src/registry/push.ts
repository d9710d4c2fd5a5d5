import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { ModelMetadata } from '../domain/model-metadata.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Bundle } from '../model/bundle.ts';
import { artifactRoot } from './artifact-path.ts';
import { listArtifacts } from './artifacts.ts';
import { bundleDigest } from './bundle-digest.ts';
import { digestOf } from './digest.ts';
import { BESIDE, MLMODEL, mlmodelText } from './mlmodel.ts';
import { createRun, endRun, experimentId, uploadFile, uploadText } from './runs.ts';
import { type TrackingServer, trackingServer } from './server.ts';
import {
  artifactUri,
  createVersion,
  DIGEST_TAG,
  type ModelVersion,
  moveAlias,
  registerName,
  versionOfAlias,
  versionWithDigest,
} from './versions.ts';

export interface Pushing {
  readonly bundle: Bundle;
  /** Metadata declared by the model file. */
  readonly metadata: ModelMetadata;
  /** Name of the registered model. */
  readonly name: string;
  readonly alias: string | undefined;
  readonly experiment: string | undefined;
  readonly environment: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  readonly now: number;
}

export interface Pushed {
  readonly version: string;
  readonly digest: string;
  /** False if the registry already had the bundle. */
  readonly created: boolean;
  /** Null if the version already existed. */
  readonly runId: string | null;
  /** The alias, and the version that it pointed to before; null if it is new. */
  readonly alias: { readonly name: string; readonly from: string | null } | null;
}

/** Folder of the model among the run's artifacts. */
const FOLDER = 'model';

/**
 * Logs a bundle as a version of a registered model, unless a version already has the same files, and points the alias to it.
 * The version is created once all artifacts are uploaded, and the alias moves last: an earlier failure changes nothing that a
 * job reads.
 *
 * @throws ScoreBatchError as the registry does
 */
export async function push({ environment, signal, ...pushing }: Pushing): Promise<Pushed> {
  const { bundle, name, alias } = pushing;
  const server = trackingServer(environment, signal);
  const { digest, files } = await bundleDigest(bundle.folder);
  await registerName(server, name);
  const tagged = await versionWithDigest(server, name, digest);
  const there = tagged && (await isWhole(server, tagged, bundle.folder, files)) ? tagged : undefined;
  const made = there ? { version: there, runId: null } : await log(server, { ...pushing, digest, files });
  const { version } = made.version;
  const from = alias === undefined ? undefined : await versionOfAlias(server, name, alias);
  if (alias !== undefined && from !== version) await moveAlias(server, { name, alias, version });
  return {
    ...{ version, digest, created: there === undefined, runId: made.runId },
    alias: alias === undefined ? null : { name: alias, from: from ?? null },
  };
}

/** Whether a version has all files of a bundle with their sizes: anybody can write a tag. */
async function isWhole(
  server: TrackingServer,
  version: ModelVersion,
  folder: string,
  files: readonly string[],
): Promise<boolean> {
  const listed = await listArtifacts(server, artifactRoot(await artifactUri(server, version), server));
  for (const file of files) {
    const { size } = await stat(path.join(folder, file));
    if (!listed.some((artifact) => artifact.path === file && (artifact.bytes ?? size) === size)) return false;
  }
  return true;
}

interface Logging extends Omit<Pushing, 'environment' | 'signal'> {
  readonly digest: string;
  readonly files: readonly string[];
}

async function log(
  server: TrackingServer,
  logging: Logging,
): Promise<{ readonly version: ModelVersion; readonly runId: string }> {
  const { bundle, metadata, name, digest, files, now } = logging;
  const tags = {
    [DIGEST_TAG]: digest,
    'score_batch.model': `${bundle.definition.name} ${bundle.definition.version}`,
    'score_batch.sha256': bundle.digest,
  };
  const experiment = logging.experiment === undefined ? '0' : await experimentId(server, logging.experiment);
  const run = await createRun(server, { experiment, name: `${name} ${bundle.definition.version}`, tags, now });
  try {
    const root = artifactRoot(`${run.artifactUri}/${FOLDER}`, server);
    const sent = new Map<string, string>();
    for (const file of files) sent.set(file, await uploadFile(server, root, file, path.join(bundle.folder, file)));
    if (digestOf(sent) !== digest) throw changed(bundle.folder);
    for (const [file, text] of Object.entries(BESIDE)) await uploadText(server, root, file, text);
    await uploadText(server, root, MLMODEL, mlmodelText(bundle, metadata, { runId: run.id, digest, now }));
    const version = await createVersion(server, { name, source: `${run.artifactUri}/${FOLDER}`, runId: run.id, tags });
    await endRun(server, run.id, 'FINISHED');
    return { version, runId: run.id };
  } catch (error) {
    // The original error says more than a failure here.
    if (!server.signal.aborted) await endRun(server, run.id, 'FAILED').catch(() => undefined);
    throw error;
  }
}

function changed(folder: string): ScoreBatchError {
  return new ScoreBatchError('conflict', `the files in ${folder} changed while they were being uploaded`, {
    hint: 'no version was created; push the bundle again when it is complete',
  });
}
