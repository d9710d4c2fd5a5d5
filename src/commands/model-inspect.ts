import type { Context } from '../context.ts';
import { fixedBatch, type ModelMetadata, showTensor } from '../domain/model-metadata.ts';
import type { Feature, Signature } from '../domain/signature.ts';
import type { InspectOutput } from '../json/model.ts';
import { type Bundle, loadBundle } from '../model/bundle.ts';
import { readGolden } from '../model/golden.ts';
import { findPlacements, showPlacements, zeroInputs } from '../model/node-placement.ts';
import type { ClassesOutput } from '../model/output-schema.ts';
import { randomInputs } from '../model/random-rows.ts';
import type { KnownValues } from '../onnx/known-values.ts';
import { seededRandom } from '../random.ts';
import { batchOf } from '../runtime/batches.ts';
import { checkedFacts, type ModelBytes, type ModelFile, readModel } from '../runtime/model-file.ts';
import { openSession } from '../runtime/session.ts';
import { showColumns, type ZipMap } from '../zipmap/cut.ts';
import { zipMapsIn } from '../zipmap/drop.ts';
import { bundleArgument } from './bundle-argument.ts';
import { knownColumns, modelSkeleton } from './model-skeleton.ts';
import { type ModelFlags, sessionOptions } from './options.ts';

/** Rows that run every node once, unless the model fixes their number. At most `MAX_ROWS` are tried. */
const ROWS = 4;
const MAX_ROWS = 100_000;

/** Shows signature and metadata of a bundle, from `model.yaml` and from the file itself. */
export async function inspectCommand(
  bundlePath: string,
  flags: ModelFlags,
  context: Context,
): Promise<{ data: InspectOutput; text: string }> {
  const given = await bundleArgument(bundlePath, context);
  if (given.endsWith('.onnx')) return await inspectFile(given, bundlePath, flags);
  const bundle = await loadBundle(given);
  const model = await readModel(bundle.file);
  const { operators, ...facts } = factsOf(model);
  const metadata = await metadataOf(bundle);
  // Golden rows are certain to fit the model. `verify` reports any problem with them.
  const golden = await readGolden(bundle).catch(() => undefined);
  const size = Math.min(fixedBatch(metadata) ?? ROWS, MAX_ROWS);
  const inputs =
    golden === undefined
      ? randomInputs(bundle.signature, size, seededRandom(1))
      : batchOf(golden.inputs, 0, Math.min(size, golden.rows), size);
  const placement = await findPlacements(model, requestedProviders(flags), inputs, metadata.outputs);
  const zipmaps = zipMapsOf(model, operators);
  const data = { ...describeModel(bundle, facts, metadata, placement), zipmaps };
  const notice = zipMapNotice(zipmaps, facts.producer, bundlePath);
  const differences = categoryDifferences(bundle.signature, knownColumns(model.bytes, metadata.inputs));
  return { data, text: [...notice, ...showModel(data), ...differences, ...showPlacements(placement, operators)].join('\n') };
}

/** Shows what a bare model file declares, and a `model.yaml` to start from. */
async function inspectFile(file: string, shownPath: string, flags: ModelFlags): Promise<{ data: InspectOutput; text: string }> {
  const model = await readModel(file);
  const { operators, ...facts } = factsOf(model);
  const metadata = await metadataOf(model);
  const placement = await findPlacements(model, requestedProviders(flags), zeroInputs(metadata.inputs), metadata.outputs);
  const zipmaps = zipMapsOf(model, operators);
  const known = knownColumns(model.bytes, metadata.inputs);
  const data = { digest: model.digest, file: { ...facts, ...metadata }, known, zipmaps, placement };
  const notice = zipMapNotice(zipmaps, facts.producer, shownPath);
  // Everything but YAML is commented out, so that the output is a file to start from. A file that cannot be scored gets none.
  const text = [
    ...notice.map((line) => `# ${line}`),
    ...(notice.length > 0 ? [] : [modelSkeleton(model, metadata, known)]),
    ...showPlacements(placement, operators).map((line) => `# ${line}`),
  ];
  return { data, text: text.join('\n') };
}

/** Parses the model only if it has a ZipMap. */
function zipMapsOf(model: ModelBytes, operators: ReadonlySet<string>): readonly ZipMap[] {
  return operators.has('ai.onnx.ml:ZipMap') ? zipMapsIn(model) : [];
}

/** Why a model whose probabilities are maps cannot be scored, and the command that fixes it. */
function zipMapNotice(zipMaps: readonly ZipMap[], producer: string, shownPath: string): string[] {
  if (zipMaps.length === 0) return [];
  const maker = /catboost/i.test(producer) ? ', as CatBoost always writes them' : '';
  return [
    ...zipMaps.map(
      (zipMap) =>
        `zipmap    the output ${zipMap.output} is a list of maps (ZipMap)${maker}, which cannot be scored; the tensor ${zipMap.tensor} has the probabilities, ${showColumns(zipMap)}`,
    ),
    `          run \`score-batch model drop-zipmap ${shownPath} --out FILE\` to make the probabilities the output, then inspect that file`,
  ];
}

function requestedProviders(flags: ModelFlags): readonly string[] | undefined {
  return flags.providers === undefined ? undefined : sessionOptions(flags).providers;
}

/** Inputs and outputs that the file declares. */
async function metadataOf(model: ModelFile): Promise<ModelMetadata> {
  const session = await openSession(model, sessionOptions({}));
  await session.close();
  return session.metadata;
}

function factsOf(model: ModelBytes) {
  const { producer, opsets, metadata, operators } = checkedFacts(model);
  return { producer, opsets, metadata, operators };
}

function describeModel(
  { definition, signature, digest }: Bundle,
  facts: Omit<ReturnType<typeof factsOf>, 'operators'>,
  metadata: ModelMetadata,
  placement: Awaited<ReturnType<typeof findPlacements>>,
) {
  return {
    name: definition.name,
    version: definition.version,
    digest,
    description: definition.description ?? null,
    file: { ...facts, inputs: metadata.inputs, outputs: metadata.outputs },
    placement,
    origin: definition.origin ?? null,
    inputs: signature.inputs,
    output: signature.output,
    ...('labels' in definition.output && { classes: definition.output }),
    trained: definition.trained ?? {},
    reference: { score: definition.reference?.score ?? null, features: Object.keys(definition.reference?.features ?? {}) },
    baseline: definition.baseline ?? null,
  };
}

function showModel({
  name,
  version,
  digest,
  description,
  file,
  origin,
  inputs,
  output,
  classes,
  trained,
}: ReturnType<typeof describeModel>): string[] {
  const opsets = Object.entries(file.opsets).map(([domain, opset]) => `${domain} ${opset}`);
  return [
    `${name} ${version}`,
    ...(description === null ? [] : [description.trim()]),
    `sha256    ${digest}`,
    `made by   ${file.producer || 'unknown'}, opset ${opsets.join(', ')}`,
    ...(origin === null ? [] : [`origin    ${origin.version}, sha256 ${origin.sha256}, by ${origin.by}`]),
    ...file.inputs.map((info) => `input     ${info.name} ${showTensor(info)}`),
    ...file.outputs.map((info) => `output    ${info.name} ${showTensor(info)}${roleOf(info.name, output, classes)}`),
    ...inputs.flatMap((input) =>
      input.features.map((feature) => `column    ${feature.name} → ${input.name} (${input.dtype}): ${rules(feature)}`),
    ),
    ...Object.entries(trained).map(
      ([fact, value]) => `trained   ${fact}: ${typeof value === 'string' ? value.trim() : JSON.stringify(value)}`,
    ),
  ];
}

/** The role of an output in the bundle. */
function roleOf(name: string, output: Signature['output'], classes: ClassesOutput | undefined): string {
  if (classes === undefined) return name === output.name ? `, score at index ${output.index}` : '';
  if (name === classes.label) return ', the class';
  return name === classes.probabilities ? `, probabilities of ${classes.labels.join(', ')}` : '';
}

/**
 * Categories that differ between `model.yaml` and the encoders in the file. The model scores a value unknown to an encoder as
 * if it had none.
 */
function categoryDifferences({ inputs }: Signature, known: readonly KnownValues[]): string[] {
  return known.flatMap(({ input, position, texts }) => {
    const feature = inputs.find(({ name }) => name === input)?.features[position];
    if (texts === undefined || feature?.categories === undefined) return [];
    const { name, categories } = feature;
    const show = (list: readonly string[]) => list.map((text) => JSON.stringify(text)).join(', ');
    const [inFile, listed] = [new Set(texts), new Set(categories)];
    const strange = categories.filter((text) => !inFile.has(text));
    const lacking = texts.filter((text) => !listed.has(text));
    return [
      ...(strange.length > 0 ? [`differs   ${name}: model.yaml lists ${show(strange)}, but the file does not`] : []),
      ...(lacking.length > 0 ? [`differs   ${name}: the file lists ${show(lacking)}, but model.yaml does not`] : []),
    ];
  });
}

function rules({ nullable, default: filler, range, categories, unknown }: Feature): string {
  return [
    nullable ? `null becomes ${filler ?? 'NaN'}` : 'required',
    ...(range ? [`${range[0]} to ${range[1]}`] : []),
    ...(categories ? [`one of ${categories.join(', ')} (else ${unknown})`] : unknown === 'allow' ? ['any text'] : []),
  ].join('; ');
}
