import { createHash } from 'node:crypto';
import path from 'node:path';
import { readBounded } from '../bounded-file.ts';
import { ScoreBatchError } from '../errors.ts';
import { type ModelFacts, modelFacts } from '../onnx/model-facts.ts';
import { notOnnxError } from './errors.ts';

/** A model file, identified by its bytes. */
export interface ModelFile {
  readonly file: string;
  /** SHA-256 of the file, hex. */
  readonly digest: string;
}

export interface ModelBytes extends ModelFile {
  readonly bytes: Buffer;
}

/** The size limit of a protobuf message, and so of an ONNX file: https://protobuf.dev/programming-guides/proto-limits/ */
const MAX_BYTES = 2 ** 31 - 1;

/** Operator sets that come with ONNX Runtime; any other needs a third-party library. */
const DOMAINS = ['ai.onnx', 'ai.onnx.ml', 'ai.onnx.preview', 'com.microsoft'];

/** Nodes that hold code compiled for a GPU, or the path of such a file: machine code, not a model. */
const COMPILED = 'com.microsoft:EPContext';

/** Reads a model file without checking its contents. @throws ScoreBatchError if it cannot be read or is too large */
export async function readModel(file: string): Promise<ModelBytes> {
  const bytes = await readBounded(file, MAX_BYTES, bundleHint(path.dirname(file)));
  return { file, digest: createHash('sha256').update(bytes).digest('hex'), bytes };
}

export function bundleHint(folder: string): string {
  return `a model bundle is a folder with model.onnx, model.yaml and golden.csv; this folder is ${folder}`;
}

/**
 * The facts of a model file. The file is untrusted: one that would load anything beyond its own bytes is refused.
 *
 * @throws ScoreBatchError `configuration` if the bytes are not an ONNX model, need other files or third-party operators, or
 *   draw random numbers
 */
export function checkedFacts({ file, bytes }: ModelBytes): ModelFacts {
  // ONNX Runtime recognizes its own format, a FlatBuffer, by these letters, and would load it past these checks.
  if (bytes.toString('latin1', 4, 8) === 'ORTM') throw notOnnxError(file, 'it is in ORT format');
  const facts = factsOf(bytes, file);
  refuseFiles(facts, file);
  refuseOperators(facts, file);
  refuseRandom(facts, file);
  return facts;
}

function factsOf(bytes: Buffer, file: string): ModelFacts {
  try {
    return modelFacts(bytes);
  } catch (cause) {
    if (cause instanceof RangeError) throw notOnnxError(file, cause.message, cause);
    throw cause;
  }
}

function refuseFiles({ files }: ModelFacts, file: string): void {
  if (files.size === 0) return;
  throw new ScoreBatchError('configuration', `${file} stores tensors in other files, which its digest does not cover`, {
    details: firstFew(files),
    hint: 'export it as one file: external_data=False in torch.onnx.export, or onnx.save(onnx.load(FILE), FILE) in Python',
  });
}

function refuseOperators({ operators }: ModelFacts, file: string): void {
  const foreign = [...operators].filter((name) => !DOMAINS.includes(name.slice(0, name.lastIndexOf(':'))) || name === COMPILED);
  if (foreign.length === 0) return;
  throw new ScoreBatchError(
    'configuration',
    `${file} uses operators outside the ONNX standard; third-party libraries are never loaded`,
    {
      details: firstFew(foreign),
      hint: `export the model with operators from ${DOMAINS.join(', ')} only`,
    },
  );
}

function refuseRandom({ random }: ModelFacts, file: string): void {
  if (random.length === 0) return;
  throw new ScoreBatchError('configuration', `${file} draws random numbers, so the same row could get different scores`, {
    details: firstFew(random),
    hint: 'export the model for inference: call model.eval() before torch.onnx.export, and do not sample in the graph; a seed does not help',
  });
}

/** There may be many strings, and each may be long. */
function firstFew(texts: Iterable<string>): string[] {
  const all = [...texts];
  const some = all.slice(0, 5).map((text) => JSON.stringify(text.slice(0, 200)));
  return all.length > some.length ? [...some, `and ${all.length - some.length} more`] : some;
}
