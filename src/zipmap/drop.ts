import { createHash } from 'node:crypto';
import { lstat } from 'node:fs/promises';
import type { Signature } from '../domain/signature.ts';
import { ScoreBatchError } from '../errors.ts';
import { type OnnxModel, parseModel, serializeModel } from '../onnx/model.ts';
import { replaceFile } from '../replaced-file.ts';
import { notOnnxError } from '../runtime/errors.ts';
import { checkedFacts, type ModelBytes, readModel } from '../runtime/model-file.ts';
import { withoutZipMaps, withTensors, type ZipMap, zipMapsOf } from './cut.ts';
import { verifyCut } from './verification.ts';

interface Options {
  /** The model file to write. */
  readonly out: string;
  /** Replace an existing file. */
  readonly force: boolean;
  /** The model's inputs; undefined without a model.yaml. */
  readonly signature: Signature | undefined;
}

export interface Dropped {
  readonly zipMaps: readonly ZipMap[];
  /** SHA-256 of the new file, hex. */
  readonly digest: string;
  /** Number of random rows for which both models gave the same probabilities. */
  readonly rows: number;
}

/**
 * Writes a model file without its ZipMaps. Compares it with the original first, so a wrong file never gets the target name.
 *
 * @throws ScoreBatchError `configuration` if it has none or the results differ, `usage` if the file exists, `permission` if it
 *   cannot be written; nothing is left behind
 */
export async function dropZipMap(file: string, { out, force, signature }: Options): Promise<Dropped> {
  await refuseTarget(out, force);
  const model = await readModel(file);
  checkedFacts(model);
  const { zipMaps, original, made } = cut(model);
  const tensors = zipMaps.map(({ tensor }) => tensor);
  const rows = await verifyCut({ original, made, tensors, signature });
  await replaceFile(out, made.bytes, 'choose another file with --out');
  return { zipMaps, digest: made.digest, rows };
}

/** The ZipMaps of a model file. @throws ScoreBatchError `configuration` if the bytes are not a model */
export function zipMapsIn(model: ModelBytes): readonly ZipMap[] {
  return zipMapsOf(parsed(model));
}

function cut(model: ModelBytes) {
  const parts = parsed(model);
  const bytesOf = (other: OnnxModel): ModelBytes => {
    const bytes = serializeModel(other);
    return { file: model.file, digest: createHash('sha256').update(bytes).digest('hex'), bytes };
  };
  return {
    made: bytesOf(withoutZipMaps(parts)),
    original: bytesOf(withTensors(parts)),
    zipMaps: zipMapsOf(parts),
  };
}

function parsed({ file, bytes }: ModelBytes): OnnxModel {
  try {
    return parseModel(bytes);
  } catch (cause) {
    if (cause instanceof RangeError) throw notOnnxError(file, cause.message, cause);
    throw cause;
  }
}

async function refuseTarget(out: string, force: boolean): Promise<void> {
  const there = await lstat(out).catch(() => undefined);
  if (there === undefined) return;
  if (there.isFile() && force) return;
  throw new ScoreBatchError('usage', `${out} already exists`, {
    hint: there.isFile() ? 'choose another file, or replace it with --force' : 'name the file to write, such as model.onnx',
  });
}
