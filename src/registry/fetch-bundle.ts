import path from 'node:path';
import { versionUri } from '../domain/model-uri.ts';
import { ScoreBatchError } from '../errors.ts';
import { artifactRoot } from './artifact-path.ts';
import { type Artifact, download, listArtifacts } from './artifacts.ts';
import { MAX_YAML_BYTES, readDefinition } from './bundle-digest.ts';
import { type Cache, cached, keep, knownDigest, rememberDigest } from './cache.ts';
import { bundleFiles, digestOf } from './digest.ts';
import type { TrackingServer } from './server.ts';
import { artifactUri, DIGEST_TAG, type ModelVersion } from './versions.ts';

/** The limit of an ONNX file, and of each other file. */
const MAX_BYTES = 2 ** 31 - 1;

export interface CachedBundle {
  readonly folder: string;
  readonly digest: string;
}

/**
 * The bundle of a version: from the cache if its digest is known, otherwise downloaded.
 *
 * @throws ScoreBatchError `configuration` if the artifacts are not a bundle, or differ from the registry's listing or the
 * version's tag
 */
export async function fetchBundle(server: TrackingServer, cache: Cache, version: ModelVersion): Promise<CachedBundle> {
  const tag = version.tags.get(DIGEST_TAG);
  // The creation time distinguishes versions if a registry was set up again.
  const own = [server.base, version.name, version.version, version.createdAt];
  // Anybody can write a tag: trust it only once the version's own bytes had that digest.
  const tagged = tag === undefined ? undefined : [...own, tag];
  const known = await proven(cache, tagged);
  if (known !== undefined && known.digest === tag) return known;
  const root = artifactRoot(await artifactUri(server, version), server);
  const artifacts = await listArtifacts(server, root);
  const identity = tagged ?? [...own, root, artifacts];
  const again = tagged === undefined ? await proven(cache, identity) : undefined;
  if (again !== undefined) return again;
  const made = await keep(cache, async (folder) => {
    const digest = await downloadBundle(server, { root, artifacts, folder, uri: versionUri(version.name, version.version) });
    if (tag !== undefined && tag !== digest) {
      throw new ScoreBatchError(
        'configuration',
        `${versionUri(version.name, version.version)} does not match its tag ${DIGEST_TAG}`,
        {
          details: [`tag:       ${tag.slice(0, 64)}`, `artifacts: ${digest}`],
          hint: 'somebody changed its artifacts or the tag, so nothing of it is used; push the bundle again',
        },
      );
    }
    return digest;
  });
  await rememberDigest(cache, identity, made.digest);
  return made;
}

/** The bundle that a version was downloaded as, if still cached. @param identity undefined for none */
async function proven(cache: Cache, identity: readonly unknown[] | undefined): Promise<CachedBundle | undefined> {
  const digest = identity && (await knownDigest(cache, identity));
  const folder = digest === undefined ? undefined : await cached(cache, digest);
  return digest === undefined || folder === undefined ? undefined : { folder, digest };
}

interface Download {
  readonly root: string;
  readonly artifacts: readonly Artifact[];
  /** An empty folder. */
  readonly folder: string;
  /** URI of the version, for messages. */
  readonly uri: string;
}

/** @returns the digest of the files */
async function downloadBundle(server: TrackingServer, { root, artifacts, folder, uri }: Download): Promise<string> {
  const digests = new Map<string, string>();
  const get = async (name: string, limit: number): Promise<void> => {
    const artifact = artifacts.find(({ path }) => path === name);
    if (artifact === undefined) throw incomplete(uri, name);
    digests.set(name, await download(server, { root, artifact, to: path.join(folder, name), limit }));
  };
  await get('model.yaml', MAX_YAML_BYTES);
  const files = bundleFiles(await readDefinition(folder, `model.yaml of ${uri}`));
  for (const name of files) if (name !== 'model.yaml') await get(name, MAX_BYTES);
  return digestOf(digests);
}

function incomplete(uri: string, name: string): ScoreBatchError {
  return new ScoreBatchError('configuration', `${uri} has no ${name} among its artifacts`, {
    hint:
      name === 'model.yaml'
        ? `\`score-batch model init ${uri} --out FOLDER\` makes one from the signature; \`score-batch model push\` registers the bundle`
        : 'push the bundle with `score-batch model push`, which takes all its files',
  });
}
