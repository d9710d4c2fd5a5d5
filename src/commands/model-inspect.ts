import path from 'node:path';
import type { Context } from '../context.ts';
import { type ModelMetadata, showTensor } from '../domain/model-metadata.ts';
import type { Feature } from '../domain/signature.ts';
import { type Bundle, loadBundle } from '../model/bundle.ts';
import { type ModelFacts, modelFacts } from '../runtime/model-file.ts';
import { openSession } from '../runtime/session.ts';
import { type ModelFlags, sessionOptions } from './options.ts';

/** Signature and metadata of a bundle, as `model.yaml` states them and as the file itself does. */
export async function inspectCommand(
  folder: string,
  flags: ModelFlags,
  context: Context,
): Promise<{ data: object; text: string }> {
  const bundle = await loadBundle(path.resolve(context.folder, folder));
  const session = await openSession(bundle.file, sessionOptions(flags));
  await session.close();
  const data = describeModel(bundle, await modelFacts(bundle.file), session);
  return { data, text: showModel(data) };
}

function describeModel(
  { definition, signature, digest }: Bundle,
  facts: ModelFacts,
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
