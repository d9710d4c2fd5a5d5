import type { OnlineModel } from '../online-model.ts';
import type { Datatype } from './datatype.ts';

/** Elements in row-major order. A BOOL is a byte, 0 or 1; strings are well-formed. */
export type TensorData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | readonly string[];

export interface InferTensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  /** As many elements as the shape says, in the datatype's array type. */
  readonly data: TensorData;
}

/** Parameter values. gRPC's 64-bit integers may be bigints. */
export type Parameters = Readonly<Record<string, unknown>>;

export interface RequestedOutput {
  readonly name: string;
  readonly parameters: Parameters;
}

/** An inference request, over any protocol. */
export interface InferRequest {
  readonly id: string | undefined;
  readonly parameters: Parameters;
  readonly inputs: readonly InferTensor[];
  /** Undefined or empty: all outputs. */
  readonly outputs: readonly RequestedOutput[] | undefined;
}

/** An output's values. A rejected row has NaN, which JSON writes as null, or an empty label. */
export interface OutputTensor extends InferTensor {
  readonly data: Float32Array | Float64Array | readonly string[];
}

export interface InferAnswer {
  /** The model whose name and version the answer states. */
  readonly model: OnlineModel;
  readonly id: string | undefined;
  /** In the requested order. */
  readonly outputs: readonly OutputTensor[];
}
