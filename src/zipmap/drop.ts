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
  /** The model file that is written. */
  readonly out: string;
  /** Replace a file that is there. */
  readonly force: boolean;
  /** What the model takes, where a description says it. */
  readonly signature: Signature | undefined;
}

export interface Dropped {
  readonly zipMaps: readonly ZipMap[];
  /** SHA-256 of the new file, hex. */
  readonly digest: string;
  /** Random rows on which both models gave the same probabilities. */
  readonly rows: number;
}

/**
 * Writes a model file without its ZipMaps, and compares it with the original before it appears under its name.
 *
 * @throws ScoreBatchError `configuration` where it has none or the results differ, `usage` where the file is there, `permission`
 *   where it cannot be written: nothing is left then
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

/** The ZipMaps of a model file. @throws ScoreBatchError `configuration` where the bytes are no model */
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
  throw new ScoreBatchError('usage', `${out} exists already`, {
    hint: there.isFile() ? 'choose another file, or replace it with --force' : 'name the file to write, such as model.onnx',
  });
}
