import { constants, copyFile, lstat, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { isModelUri, MODEL_URI_FORM, parseModelUri, versionUri } from '../domain/model-uri.ts';
import { ScoreBatchError, unreadable } from '../errors.ts';
import { artifactRoot, insidePath } from './artifact-path.ts';
import { download, listArtifacts } from './artifacts.ts';
import type { LocateOptions } from './locate.ts';
import { MLMODEL } from './mlmodel.ts';
import { trackingServer } from './server.ts';
import { artifactUri, findVersion } from './versions.ts';

/** The files of a logged model: a registered version, or a folder that MLflow saved one in. */
export interface ModelSource {
  /** Its name in messages. */
  readonly shown: string;
  /** Whether a file exists. */
  has(name: string): Promise<boolean>;
  /** Copies a file to a new one; creates its folder. @param limit bytes @throws ScoreBatchError if it is missing or invalid */
  copy(name: string, to: string, limit: number): Promise<void>;
}

/** @throws ScoreBatchError as the registry does */
export async function openSource(given: string, options: LocateOptions): Promise<ModelSource> {
  return isModelUri(given) ? await ofRegistry(given, options) : ofFolder(path.resolve(options.folder, given), given);
}

async function ofRegistry(uri: string, { environment, signal }: LocateOptions): Promise<ModelSource> {
  const wanted = parseModelUri(uri);
  if (wanted === undefined) throw new ScoreBatchError('usage', `${uri} names no version of a model`, { hint: MODEL_URI_FORM });
  const server = trackingServer(environment, signal);
  const version = await findVersion(server, wanted);
  const root = artifactRoot(await artifactUri(server, version), server);
  const artifacts = await listArtifacts(server, root);
  const shown = versionUri(version.name, version.version);
  const find = (name: string) => artifacts.find(({ path: one }) => one === name);
  return {
    shown,
    has: async (name) => find(name) !== undefined,
    async copy(name, to, limit) {
      const artifact = find(insidePath(name));
      if (artifact === undefined) throw missing(shown, name);
      await download(server, { root, artifact, to, limit });
    },
  };
}

function ofFolder(folder: string, shown: string): ModelSource {
  const fileOf = (name: string) => path.join(folder, insidePath(name));
  const has = async (name: string) => (await lstat(fileOf(name)).catch(() => undefined))?.isFile() ?? false;
  return {
    shown,
    has,
    async copy(name, to, limit) {
      if (!(await has(name))) throw missing(shown, name);
      const { size } = await lstat(fileOf(name));
      if (size > limit)
        throw new ScoreBatchError('configuration', `${name} has ${size} bytes, but the limit is ${limit}`, {
          hint: 'check that it is the right file',
        });
      await mkdir(path.dirname(to), { recursive: true });
      await copyFile(fileOf(name), to, constants.COPYFILE_EXCL).catch((cause: unknown) => {
        throw unreadable(fileOf(name), cause, 'check the path');
      });
    },
  };
}

function missing(shown: string, name: string): ScoreBatchError {
  return new ScoreBatchError('configuration', `${shown} has no ${name}`, {
    hint:
      name === MLMODEL
        ? 'name a version of a registered model, or a folder that mlflow.onnx.save_model has written'
        : 'log the model again',
  });
}
