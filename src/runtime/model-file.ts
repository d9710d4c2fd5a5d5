import { createHash } from 'node:crypto';
import path from 'node:path';
import { readBounded } from '../bounded-file.ts';
import { ScoreBatchError } from '../errors.ts';
import { type ModelFacts, modelFacts } from '../onnx/model-facts.ts';
import { notOnnx } from './errors.ts';

/** A model file whose bytes are known. */
export interface ModelFile {
  readonly file: string;
  /** SHA-256 of all that scores, hex. */
  readonly digest: string;
}

export interface ModelBytes extends ModelFile {
  readonly bytes: Buffer;
}

/** What a protobuf message, and so an ONNX file, can have: https://protobuf.dev/programming-guides/proto-limits/ */
const MAX_BYTES = 2 ** 31 - 1;

/** Operator sets that ONNX Runtime brings along; any other would need a library of somebody's. */
const DOMAINS = ['ai.onnx', 'ai.onnx.ml', 'ai.onnx.preview', 'com.microsoft'];

/** Nodes that hold what a GPU's compiler made, or the path of a file that does, which is machine code and no model. */
const COMPILED = 'com.microsoft:EPContext';

/** Reads a model file, of which nothing is believed yet. @throws ScoreBatchError where it cannot be read, or is too large */
export async function readModel(file: string): Promise<ModelBytes> {
  const bytes = await readBounded(file, MAX_BYTES, bundleHint(path.dirname(file)));
  return { file, digest: createHash('sha256').update(bytes).digest('hex'), bytes };
}

export function bundleHint(folder: string): string {
  return `a model bundle is a folder with model.onnx, model.yaml and golden.csv; this one is ${folder}`;
}

/**
 * What a model says of itself. It may be anybody's: what would bring in more than its own bytes is refused.
 *
 * @throws ScoreBatchError `configuration` where the bytes are no ONNX model, need other files or operators of somebody's, or
 *   draw random numbers
 */
export function checkedFacts({ file, bytes }: ModelBytes): ModelFacts {
  // The runtime's own format, a FlatBuffer, would be recognised by these letters and be read unseen.
  if (bytes.toString('latin1', 4, 8) === 'ORTM') throw notOnnx(file, 'it is in the format ORT');
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
    if (cause instanceof RangeError) throw notOnnx(file, cause.message, cause);
    throw cause;
  }
}

function refuseFiles({ files }: ModelFacts, file: string): void {
  if (files.size === 0) return;
  throw new ScoreBatchError('configuration', `${file} keeps tensors in other files, which its digest does not cover`, {
    details: shown(files),
    hint: 'export it as one file: external_data=False in torch.onnx.export, or onnx.save(onnx.load(FILE), FILE) in Python',
  });
}

function refuseOperators({ operators }: ModelFacts, file: string): void {
  const foreign = [...operators].filter((name) => !DOMAINS.includes(name.slice(0, name.lastIndexOf(':'))) || name === COMPILED);
  if (foreign.length === 0) return;
  throw new ScoreBatchError(
    'configuration',
    `${file} uses operators that are not ONNX's own, and no library is loaded for a model`,
    {
      details: shown(foreign),
      hint: `export the model with operators of ${DOMAINS.join(', ')} only`,
    },
  );
}

function refuseRandom({ random }: ModelFacts, file: string): void {
  if (random.length === 0) return;
  throw new ScoreBatchError(
    'configuration',
    `${file} draws random numbers, so the same row would not get the same score twice`,
    {
      details: shown(random),
      hint: 'export the model for inference: model.eval() before torch.onnx.export, and no sampling in the graph; a seed does not help',
    },
  );
}

/** A few of what may be many, and long. */
function shown(texts: Iterable<string>): string[] {
  const all = [...texts];
  const some = all.slice(0, 5).map((text) => JSON.stringify(text.slice(0, 200)));
  return all.length > some.length ? [...some, `and ${all.length - some.length} more`] : some;
}
