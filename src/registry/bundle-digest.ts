import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import { readBounded } from '../bounded-file.ts';
import { ScoreBatchError, systemCode, unreadable } from '../errors.ts';
import { bundleChecks } from '../model/bundle-checks.ts';
import { type BundleDefinition, bundleSchema } from '../model/bundle-schema.ts';
import { parseChecked } from '../yaml/checked.ts';
import { bundleFiles, digestOf } from './digest.ts';

/** The same limit as for a bundle in a folder. */
export const MAX_YAML_BYTES = 8e6;

export async function readDefinition(folder: string, shown: string): Promise<BundleDefinition> {
  const file = path.join(folder, 'model.yaml');
  const text = await readBounded(file, MAX_YAML_BYTES, 'a bundle has a model.yaml');
  return parseChecked(String(text), bundleSchema, {
    file: shown,
    noun: 'model description',
    hint: 'docs/model-bundle.md explains model.yaml',
    crossChecks: bundleChecks,
  });
}

/**
 * The digest of a bundle in a folder; see `digestOf`.
 *
 * @throws ScoreBatchError `configuration` if a file is missing or is a link, whose target may change
 */
export async function bundleDigest(folder: string): Promise<{ readonly digest: string; readonly files: readonly string[] }> {
  const files = bundleFiles(await readDefinition(folder, path.join(folder, 'model.yaml')));
  const digests = new Map<string, string>();
  for (const name of files) digests.set(name, await fileDigest(path.join(folder, name)));
  return { digest: digestOf(digests), files };
}

async function fileDigest(file: string): Promise<string> {
  const handle = await openFile(file);
  try {
    const hash = createHash('sha256');
    for await (const part of handle.createReadStream({ autoClose: false })) hash.update(part as Buffer);
    return hash.digest('hex');
  } finally {
    await handle.close();
  }
}

async function openFile(file: string): Promise<FileHandle> {
  try {
    return await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    if (systemCode(cause) !== 'ELOOP') throw unreadable(file, cause, 'model.yaml names it');
    throw new ScoreBatchError('configuration', `${file} is a link`, { hint: 'put the file itself into the bundle', cause });
  }
}
