import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Signature } from '../domain/signature.ts';
import { ScoreBatchError, unreadable } from '../errors.ts';
import { parseChecked } from '../yaml/checked.ts';
import { bundleChecks } from './bundle-checks.ts';
import { type BundleDefinition, bundleSchema } from './bundle-schema.ts';

/** A model with everything that must be known to trust a score of it. */
export interface Bundle {
  readonly folder: string;
  /** Path of `model.onnx`. */
  readonly file: string;
  readonly definition: BundleDefinition;
  readonly signature: Signature;
  /** SHA-256 of `model.onnx`, hex. */
  readonly digest: string;
  /** SHA-256 of `model.yaml`, hex: its defaults and ranges shape a score as much as the weights do. */
  readonly definitionDigest: string;
}

/**
 * Reads a bundle's folder and compares the model's digest with the one that `model.yaml` states.
 *
 * @throws ScoreBatchError `configuration` where a file is missing, `model.yaml` has problems, or the digests differ.
 */
export async function loadBundle(folder: string): Promise<Bundle> {
  const file = path.join(folder, 'model.onnx');
  const text = await readBundleFile(path.join(folder, 'model.yaml'), folder);
  const definition = parseChecked(text, bundleSchema, {
    file: path.join(folder, 'model.yaml'),
    noun: 'model description',
    hint: 'the README explains the format of model.yaml',
    crossChecks: bundleChecks,
  });
  const digest = await digestOf(file);
  if (digest !== definition.sha256) {
    throw new ScoreBatchError('configuration', `the digest of ${file} is not the one that model.yaml states`, {
      details: [`model.yaml: ${definition.sha256}`, `model.onnx: ${digest}`],
      hint: 'if the model was changed on purpose, write the new digest and a new version into model.yaml',
    });
  }
  const inputs = definition.inputs.map(({ name, dtype, columns }) => ({
    name,
    dtype,
    features: columns.map(withoutUndefined),
  }));
  return {
    folder,
    file,
    definition,
    signature: { inputs, output: definition.output },
    digest,
    definitionDigest: createHash('sha256').update(text).digest('hex'),
  };
}

type ColumnDefinition = BundleDefinition['inputs'][number]['columns'][number];
type Present<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** Optional keys are absent or have a value, never undefined: features travel to threads and into the fingerprint. */
function withoutUndefined(column: ColumnDefinition): Present<ColumnDefinition> {
  return Object.fromEntries(Object.entries(column).filter(([, value]) => value !== undefined)) as Present<ColumnDefinition>;
}

async function readBundleFile(file: string, folder: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw unreadable(file, cause, bundleHint(folder));
  }
}

/** SHA-256 of a model file, hex. @throws ScoreBatchError where it cannot be read */
export async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(file), hash);
  } catch (cause) {
    throw unreadable(file, cause, bundleHint(path.dirname(file)));
  }
  return hash.digest('hex');
}

function bundleHint(folder: string): string {
  return `a model bundle is a folder with model.onnx, model.yaml and golden.csv; this one is ${folder}`;
}
