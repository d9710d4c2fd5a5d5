import { VERSION } from '../../versions.ts';
import type { LookupKey } from '../feature-lookup.ts';
import type { Models } from '../models.ts';
import type { OnlineModel } from '../online-model.ts';
import { DATATYPE_OF, type Datatype } from './datatype.ts';
import { outputsOf } from './outputs.ts';

/** The server's metadata. */
export const SERVER_METADATA = { name: 'score-batch', version: VERSION, extensions: ['binary_tensor_data'] } as const;

/** -1 stands for any number of rows. */
interface TensorMetadata {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
}

/** Datatypes of keys. */
const KEY_DATATYPE: Readonly<Record<LookupKey['kind'], Datatype>> = { text: 'BYTES', integer: 'INT64', any: 'BYTES' };

export interface ModelMetadata {
  readonly name: string;
  readonly versions: readonly string[];
  readonly platform: string;
  readonly inputs: readonly TensorMetadata[];
  readonly outputs: readonly TensorMetadata[];
  readonly properties: Readonly<Record<string, string>>;
}

/**
 * Metadata of a model. It lists one input tensor per feature: that form cannot be sent in the wrong order, and nullable or
 * looked-up features can be left out. The tensors of the ONNX file, which are accepted too, are in the property `onnx_inputs`.
 */
export function modelMetadata(model: OnlineModel, models: Models): ModelMetadata {
  const { name, version, digest, maxRows } = model;
  const { inputs } = model.bundle.signature;
  const features = inputs.flatMap((input) => input.features.map((feature) => ({ ...feature, dtype: input.dtype })));
  const whole = inputs.map((input) => ({
    name: input.name,
    datatype: DATATYPE_OF[input.dtype],
    shape: [-1, input.features.length],
    features: input.features.map((feature) => feature.name),
  }));
  const { keys = [], stored = [] } = model.features ?? {};
  const optional = features.filter(({ nullable }, i) => nullable || stored[i]).map((feature) => feature.name);
  // A key that is also a feature is already listed.
  const others = keys.filter((key) => features.every((feature) => feature.name !== key.name));
  return {
    name,
    versions: models
      .list()
      .filter((one) => one.name === name)
      .map((one) => one.version),
    platform: 'onnx_onnxv1',
    inputs: [
      ...features.map((feature) => ({ name: feature.name, datatype: DATATYPE_OF[feature.dtype], shape: [-1] })),
      ...others.map(({ name: key, kind }) => ({ name: key, datatype: KEY_DATATYPE[kind], shape: [-1] })),
    ],
    outputs: outputsOf(model).map((output) => ({
      name: output.name,
      datatype: output.datatype,
      shape: output.width === undefined ? [-1] : [-1, output.width],
    })),
    properties: {
      version,
      digest,
      max_rows: String(maxRows),
      onnx_inputs: JSON.stringify(whole),
      optional_inputs: JSON.stringify(optional),
      ...(keys.length > 0 && { lookup_keys: JSON.stringify(keys.map((key) => key.name)) }),
    },
  };
}
