/** What a model file says about one input or output; `shape` has numbers for fixed and text for symbolic dimensions. */
export interface TensorInfo {
  readonly name: string;
  /** Undefined where the value is no tensor (a sequence, a map). */
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

/** Rows that a model takes at a time, no more and no less; undefined where it takes any number. */
export function fixedBatch({ inputs }: Pick<ModelMetadata, 'inputs'>): number | undefined {
  return inputs.map(({ shape }) => shape[0]).find((rows): rows is number => typeof rows === 'number' && rows > 0);
}
