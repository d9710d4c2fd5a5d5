import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ScoreBatchError } from '../errors.ts';
import { type Bundle, loadBundle } from '../model/bundle.ts';
import { parseModel, serializeModel } from '../onnx/model.ts';
import { notOnnxError } from '../runtime/errors.ts';
import { checkedFacts, readModel } from '../runtime/model-file.ts';
import { withKeys } from '../yaml/edit.ts';
import { OPERATORS } from './ensemble.ts';
import { pruneToOutput } from './prune.ts';
import { refusal } from './refusal.ts';
import { type Tensorized, tensorize } from './tensorize.ts';
import { type Verified, verifyTensorized } from './verification.ts';

/** The size limit of a protobuf message, less room for its fields. */
const MAX_BYTES = 2 ** 31 - 2 ** 20;

interface Options {
  /** Folder of the new bundle. */
  readonly out: string;
  /** Providers to try it on in addition to cpu. */
  readonly providers: readonly string[];
  /** Replace an existing bundle. */
  readonly force: boolean;
  /** Tool and version, recorded in the bundle as its origin. */
  readonly by: string;
}

export interface TensorizedBundle {
  readonly bundle: Bundle;
  readonly ensembles: Tensorized['ensembles'];
  /** The label output of the original, which the new bundle does not have; undefined if it has none. */
  readonly dropped: string | undefined;
  readonly verified: readonly Verified[];
}

/**
 * Makes a bundle whose tree ensembles are tensor operations. Compares it with the original first, so a wrong bundle never gets
 * the target name.
 *
 * @throws ScoreBatchError `configuration` if the model cannot be rewritten or the results differ, with nothing left behind;
 *   `usage` if the folder exists
 */
export async function tensorizeBundle(original: Bundle, { out, providers, force, by }: Options): Promise<TensorizedBundle> {
  const replaced = await refuseFolder(out, original, force);
  const { bytes, pruned, ensembles } = await rewritten(original);
  const work = await writing(out, async () => {
    await mkdir(path.dirname(out), { recursive: true });
    return await mkdtemp(`${out}.partial-`);
  });
  try {
    const folder = path.join(work, 'bundle');
    await writing(out, () => writeBundle(folder, original, bytes, by));
    const bundle = await loadBundle(folder);
    refuseLeftOver(await readModel(bundle.file));
    const verified: Verified[] = [];
    for (const provider of ['cpu', ...providers]) {
      verified.push(await verifyTensorized({ original, made: bundle, model: pruned, ensembles, folder: work }, provider));
    }
    await writing(out, async () => {
      if (replaced) await rename(out, path.join(work, 'replaced'));
      await rename(folder, out).catch(async (cause: unknown) => {
        if (replaced) await rename(path.join(work, 'replaced'), out);
        throw cause;
      });
    });
    return { bundle: await loadBundle(out), ensembles, dropped: original.signature.classes?.label, verified };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function rewritten(original: Bundle) {
  const file = await readModel(original.file);
  checkedFacts(file);
  try {
    const model = parseModel(file.bytes);
    const { model: made, ensembles } = tensorize(model, original.signature.output.name);
    const bytes = serializeModel(made);
    if (bytes.length > MAX_BYTES) throw refusal('the result would be larger than 2 GiB', 'train fewer or smaller trees');
    return { bytes, ensembles, pruned: pruneToOutput(model, original.signature.output.name) };
  } catch (cause) {
    if (cause instanceof RangeError) throw notOnnxError(original.file, cause.message, cause);
    throw cause;
  }
}

/** Copies the original's description with a new digest, an origin, and a version that cannot be mistaken for the original's. */
async function writeBundle(
  folder: string,
  { folder: from, definition, digest }: Bundle,
  bytes: Buffer,
  by: string,
): Promise<void> {
  await mkdir(folder);
  await writeFile(path.join(folder, 'model.onnx'), bytes);
  const text = await readFile(path.join(from, 'model.yaml'), 'utf8');
  const keys = {
    version: `${definition.version}+tensors`,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    origin: { sha256: digest, version: definition.version, by },
    ...withoutLabel(definition.output),
  };
  await writeFile(path.join(folder, 'model.yaml'), withKeys(text, keys));
  const { golden, baseline_rows: baseline } = definition;
  for (const file of [golden.file, ...(baseline === undefined ? [] : [baseline.file])]) {
    await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
    await copyFile(path.join(from, file), path.join(folder, file));
  }
}

/**
 * The rewrite leaves out the label: it is a string, or picked by comparisons that would run on cpu. The probabilities say it
 * all.
 */
function withoutLabel(output: Bundle['definition']['output']) {
  return 'labels' in output && output.label !== undefined
    ? { output: { probabilities: output.probabilities, labels: output.labels } }
    : {};
}

/** A model's functions may have nodes too, which the rewrite does not reach. */
function refuseLeftOver(model: Parameters<typeof checkedFacts>[0]): void {
  const { operators } = checkedFacts(model);
  const left = OPERATORS.find((operator) => operators.has(`ai.onnx.ml:${operator}`));
  if (left !== undefined) throw refusal(`one of its functions has a ${left}`);
}

/** @returns whether a bundle must be replaced */
async function refuseFolder(out: string, { folder }: Bundle, force: boolean): Promise<boolean> {
  const there = await realpath(out).catch(() => undefined);
  if (there === undefined) return false;
  const refuse = (what: string, hint: string) => new ScoreBatchError('usage', `${out} ${what}`, { hint });
  const original = await realpath(folder);
  if (original === there || original.startsWith(`${there}${path.sep}`)) {
    throw refuse('contains the original', 'choose another folder with --out');
  }
  if (!force) throw refuse('already exists', 'choose another folder, or replace the bundle with --force');
  const isBundle = await stat(path.join(there, 'model.yaml')).then(
    (found) => found.isFile(),
    () => false,
  );
  if (!isBundle) throw refuse('is not a bundle, so it is not replaced', 'choose another folder with --out');
  return true;
}

/** Turns errors of the file system into `permission`. */
async function writing<T>(out: string, work: () => Promise<T>): Promise<T> {
  return await work().catch((cause: unknown) => {
    if (cause instanceof ScoreBatchError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ScoreBatchError('permission', `${out} cannot be written: ${reason}`, {
      hint: 'choose another folder with --out',
      cause,
    });
  });
}
