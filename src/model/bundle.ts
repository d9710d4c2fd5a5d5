import { createHash } from 'node:crypto';
import path from 'node:path';
import { readBounded } from '../bounded-file.ts';
import type { Signature } from '../domain/signature.ts';
import { ScoreBatchError } from '../errors.ts';
import { layerWidth } from '../onnx/model-width.ts';
import { bundleHint, type ModelFile, readModel } from '../runtime/model-file.ts';
import { parseChecked } from '../yaml/checked.ts';
import { bundleChecks } from './bundle-checks.ts';
import { bundleFolder } from './bundle-folder.ts';
import { type BundleDefinition, bundleSchema } from './bundle-schema.ts';
import { checkClassLabels } from './class-check.ts';

/** Room for hundreds of thousands of categories. */
const MAX_YAML_BYTES = 8e6;

/** A model with everything that is needed to trust its scores. */
export interface Bundle extends ModelFile {
  readonly folder: string;
  readonly definition: BundleDefinition;
  readonly signature: Signature;
  /** SHA-256 of `model.yaml`, hex. Its defaults and ranges affect scores as much as the weights do. */
  readonly definitionDigest: string;
  /** Bytes of the model file. */
  readonly size: number;
  /** See `layerWidth`. */
  readonly width: number;
}

/**
 * Reads a bundle's folder and compares the model's digest and class names with those in `model.yaml`.
 *
 * @param given the folder, or a link to it
 * @throws ScoreBatchError `configuration` if a file is missing, `model.yaml` has problems, or the digests or classes differ
 */
export async function loadBundle(given: string): Promise<Bundle> {
  const folder = await bundleFolder(given);
  const file = path.join(folder, 'model.onnx');
  const text = String(await readBounded(path.join(folder, 'model.yaml'), MAX_YAML_BYTES, bundleHint(folder)));
  const definition = parseChecked(text, bundleSchema, {
    file: path.join(folder, 'model.yaml'),
    noun: 'model description',
    hint: `\`score-batch model inspect ${file}\` prints columns and categories; docs/model-bundle.md explains model.yaml`,
    crossChecks: bundleChecks,
  });
  const { digest, bytes } = await readModel(file);
  if (digest !== definition.sha256) {
    throw new ScoreBatchError('configuration', `the digest of ${file} does not match model.yaml`, {
      details: [`model.yaml: ${definition.sha256}`, `model.onnx: ${digest}`],
      hint: 'if you changed the model on purpose, set the new digest and a new version in model.yaml',
    });
  }
  const outputs = outputsOf(definition.output);
  if (outputs.classes !== undefined) checkClassLabels({ file, digest, bytes }, outputs.classes);
  const inputs = definition.inputs.map(({ name, dtype, columns }) => ({
    name,
    dtype,
    features: columns.map(({ reason: _, ...feature }) => withoutUndefined(feature)),
  }));
  return {
    folder,
    file,
    definition,
    signature: { inputs, ...outputs },
    digest,
    definitionDigest: createHash('sha256').update(text).digest('hex'),
    size: bytes.length,
    width: layerWidth(bytes),
  };
}

function outputsOf(output: BundleDefinition['output']): Pick<Signature, 'output' | 'classes'> {
  if ('name' in output) return { output };
  const { label, probabilities, labels } = output;
  return { output: { name: probabilities, index: 0 }, classes: { label, probabilities, labels } };
}

type ColumnDefinition = Omit<BundleDefinition['inputs'][number]['columns'][number], 'reason'>;
type Present<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** Drops keys that are undefined, because features are sent to threads and hashed into the fingerprint. */
function withoutUndefined(column: ColumnDefinition): Present<ColumnDefinition> {
  return Object.fromEntries(Object.entries(column).filter(([, value]) => value !== undefined)) as Present<ColumnDefinition>;
}
