import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ScoreBatchError } from '../errors.ts';
import { type Bundle, loadBundle } from '../model/bundle.ts';
import { parseModel, serializeModel } from '../onnx/model.ts';
import { notOnnx } from '../runtime/errors.ts';
import { checkedFacts, readModel } from '../runtime/model-file.ts';
import { withKeys } from '../yaml/edit.ts';
import { OPERATORS } from './ensemble.ts';
import { prunedTo } from './prune.ts';
import { refusal } from './refusal.ts';
import { type Tensorized, tensorize } from './tensorize.ts';
import { type Verified, verifyTensorized } from './verification.ts';

/** What a protobuf message can have, less what its fields need. */
const MAX_BYTES = 2 ** 31 - 2 ** 20;

interface Options {
  /** Folder of the bundle that is made. */
  readonly out: string;
  /** Providers on which it is tried besides cpu. */
  readonly providers: readonly string[];
  /** Replace a bundle that is there. */
  readonly force: boolean;
  /** Written into the bundle: who made it. */
  readonly by: string;
}

export interface TensorizedBundle {
  readonly bundle: Bundle;
  readonly ensembles: Tensorized['ensembles'];
  readonly verified: readonly Verified[];
}

/**
 * Makes a bundle whose tree ensembles are tensor operations, and compares it with the original before it appears under its name.
 *
 * @throws ScoreBatchError `configuration` where the model cannot be written so, or the results differ: nothing is left then;
 *   `usage` where the folder is there
 */
export async function tensorizeBundle(original: Bundle, { out, providers, force, by }: Options): Promise<TensorizedBundle> {
  const replaced = await refuseFolder(out, original, force);
  const { bytes, pruned, ensembles } = await rewritten(original);
  const work = await made(out, async () => {
    await mkdir(path.dirname(out), { recursive: true });
    return await mkdtemp(`${out}.partial-`);
  });
  try {
    const folder = path.join(work, 'bundle');
    await made(out, () => writeBundle(folder, original, bytes, by));
    const bundle = await loadBundle(folder);
    refuseLeftOver(await readModel(bundle.file));
    const verified: Verified[] = [];
    for (const provider of ['cpu', ...providers]) {
      verified.push(await verifyTensorized({ original, made: bundle, model: pruned, ensembles, folder: work }, provider));
    }
    await made(out, async () => {
      if (replaced) await rename(out, path.join(work, 'replaced'));
      await rename(folder, out).catch(async (cause: unknown) => {
        if (replaced) await rename(path.join(work, 'replaced'), out);
        throw cause;
      });
    });
    return { bundle: await loadBundle(out), ensembles, verified };
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
    if (bytes.length > MAX_BYTES) throw refusal('it would be larger than 2 GiB', 'train fewer or smaller trees');
    return { bytes, ensembles, pruned: prunedTo(model, original.signature.output.name) };
  } catch (cause) {
    if (cause instanceof RangeError) throw notOnnx(original.file, cause.message, cause);
    throw cause;
  }
}

/** The description is the original's but for the digest, the version, which must not be mistaken for it, and the origin. */
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
  };
  await writeFile(path.join(folder, 'model.yaml'), withKeys(text, keys));
  const golden = path.join(folder, definition.golden.file);
  await mkdir(path.dirname(golden), { recursive: true });
  await copyFile(path.join(from, definition.golden.file), golden);
}

/** Functions of a model can hold nodes too, of which nothing is known here. */
function refuseLeftOver(model: Parameters<typeof checkedFacts>[0]): void {
  const { operators } = checkedFacts(model);
  const left = OPERATORS.find((operator) => operators.has(`ai.onnx.ml:${operator}`));
  if (left !== undefined) throw refusal(`a function of it has a ${left}`);
}

/** @returns whether there is a bundle to be replaced */
async function refuseFolder(out: string, { folder }: Bundle, force: boolean): Promise<boolean> {
  const there = await realpath(out).catch(() => undefined);
  if (there === undefined) return false;
  const refuse = (what: string, hint: string) => new ScoreBatchError('usage', `${out} ${what}`, { hint });
  const original = await realpath(folder);
  if (original === there || original.startsWith(`${there}${path.sep}`)) {
    throw refuse('holds the original', 'choose another folder with --out');
  }
  if (!force) throw refuse('exists already', 'choose another folder, or replace the bundle there with --force');
  const isBundle = await stat(path.join(there, 'model.yaml')).then(
    (found) => found.isFile(),
    () => false,
  );
  if (!isBundle) throw refuse('is no bundle, and is not replaced', 'choose another folder with --out');
  return true;
}

/** What the file system refuses. */
async function made<T>(out: string, work: () => Promise<T>): Promise<T> {
  return await work().catch((cause: unknown) => {
    if (cause instanceof ScoreBatchError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ScoreBatchError('permission', `${out} cannot be written: ${reason}`, {
      hint: 'choose another folder with --out',
      cause,
    });
  });
}
