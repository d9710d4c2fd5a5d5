/** One input or output as declared in a model file. `shape` has numbers for fixed dimensions and strings for symbolic ones. */
export interface TensorInfo {
  readonly name: string;
  /** Undefined if the value is not a tensor but a sequence or a map. */
  readonly dtype: string | undefined;
  readonly shape: readonly (number | string)[];
}

export interface ModelMetadata {
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
}

/** `float32[N, 20]` */
export function showTensor({ dtype, shape }: TensorInfo): string {
  return dtype === undefined ? 'not a tensor' : `${dtype}[${shape.map((size) => (size === '' ? '?' : size)).join(', ')}]`;
}

/** The fixed batch size that a model requires; undefined if it takes any number of rows. */
export function fixedBatch({ inputs }: Pick<ModelMetadata, 'inputs'>): number | undefined {
  return inputs.map(({ shape }) => shape[0]).find((rows): rows is number => typeof rows === 'number' && rows > 0);
}
