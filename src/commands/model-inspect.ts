import path from 'node:path';
import type { Context } from '../context.ts';
import { type ModelMetadata, showTensor, type TensorInfo } from '../domain/model-metadata.ts';
import type { Feature } from '../domain/signature.ts';
import { type Bundle, loadBundle } from '../model/bundle.ts';
import { checkedFacts, type ModelBytes, readModel } from '../runtime/model-file.ts';
import { openSession } from '../runtime/session.ts';
import { type ModelFlags, sessionOptions } from './options.ts';

/** Signature and metadata of a bundle, as `model.yaml` states them and as the file itself does. */
export async function inspectCommand(
  bundlePath: string,
  flags: ModelFlags,
  context: Context,
): Promise<{ data: object; text: string }> {
  const given = path.resolve(context.folder, bundlePath);
  if (given.endsWith('.onnx')) return await inspectFile(given, flags);
  const bundle = await loadBundle(given);
  const session = await openSession(bundle, sessionOptions(flags));
  await session.close();
  const data = describeModel(bundle, factsOf(await readModel(bundle.file)), session);
  return { data, text: showModel(data) };
}

/** A model file without its description yet: what it declares, and the beginnings of a `model.yaml`. */
async function inspectFile(file: string, flags: ModelFlags): Promise<{ data: object; text: string }> {
  const model = await readModel(file);
  const session = await openSession(model, sessionOptions(flags));
  await session.close();
  const data = { digest: model.digest, file: { ...factsOf(model), ...session.metadata }, provider: session.provider };
  return { data, text: skeleton(model.digest, session.metadata) };
}

/** What people ask of a model file. */
function factsOf(model: ModelBytes) {
  const { producer, opsets, metadata } = checkedFacts(model);
  return { producer, opsets, metadata };
}

function skeleton(digest: string, { inputs, outputs }: ModelMetadata): string {
  const columns = (input: TensorInfo) =>
    Array.from(
      { length: Number(input.shape[1]) || 1 },
      (_, i) => `      - { name: ${input.shape[1] === 1 ? input.name : `column_${i}`} }`,
    );
  const output = outputs.find(({ dtype }) => dtype === 'float32' || dtype === 'float64') ?? outputs[0];
  return [
    '# model.yaml for this file: name the columns, and say what to do with nulls, ranges and categories',
    'name: my-model',
    'version: "1"',
    `sha256: ${digest}`,
    'inputs:',
    ...inputs.flatMap((input) => [
      `  - name: ${input.name}          # ${showTensor(input)}`,
      `    dtype: ${input.dtype}`,
      `    shape: [N, ${Number(input.shape[1]) || 1}]`,
      '    columns:',
      ...columns(input),
    ]),
    `output: { name: ${output?.name ?? '?'}, index: ${Number(output?.shape[1]) > 1 ? 1 : 0} }     # of ${outputs.map((info) => `${info.name} ${showTensor(info)}`).join(', ')}`,
    'golden: { file: golden.csv, tolerance: 1e-6 }     # the columns, and expected_score',
  ].join('\n');
}

function describeModel(
  { definition, signature, digest }: Bundle,
  facts: ReturnType<typeof factsOf>,
  session: { provider: string; metadata: ModelMetadata },
) {
  return {
    name: definition.name,
    version: definition.version,
    digest,
    description: definition.description ?? null,
    file: { ...facts, inputs: session.metadata.inputs, outputs: session.metadata.outputs },
    provider: session.provider,
    inputs: signature.inputs,
    output: signature.output,
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
  provider,
  inputs,
  output,
  trained,
}: ReturnType<typeof describeModel>): string {
  const opsets = Object.entries(file.opsets).map(([domain, opset]) => `${domain} ${opset}`);
  return [
    `${name} ${version}`,
    ...(description === null ? [] : [description.trim()]),
    `sha256    ${digest}`,
    `made by   ${file.producer || 'unknown'}, opset ${opsets.join(', ')}`,
    `provider  ${provider}`,
    ...file.inputs.map((info) => `input     ${info.name} ${showTensor(info)}`),
    ...file.outputs.map(
      (info) =>
        `output    ${info.name} ${showTensor(info)}${info.name === output.name ? `, score at index ${output.index}` : ''}`,
    ),
    ...inputs.flatMap((input) =>
      input.features.map((feature) => `column    ${feature.name} → ${input.name} (${input.dtype}): ${rules(feature)}`),
    ),
    ...Object.entries(trained).map(
      ([fact, value]) => `trained   ${fact}: ${typeof value === 'string' ? value.trim() : JSON.stringify(value)}`,
    ),
  ].join('\n');
}

function rules({ nullable, default: filler, range, categories, unknown }: Feature): string {
  return [
    nullable ? `null becomes ${filler ?? 'NaN'}` : 'required',
    ...(range ? [`${range[0]} to ${range[1]}`] : []),
    ...(categories ? [`one of ${categories.join(', ')} (else ${unknown})`] : []),
  ].join('; ');
}
