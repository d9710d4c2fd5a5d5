import type { OnlineModel } from '../online-model.ts';
import type { Datatype } from './datatype.ts';

/** Elements in row-major order. BOOL is 0 or 1 in bytes; texts are well-formed. */
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
  /** As many elements as the shape says, in the array type of the datatype. */
  readonly data: TensorData;
}

/** Values of parameters. gRPC's 64-bit integers may come as bigint. */
export type Parameters = Readonly<Record<string, unknown>>;

export interface RequestedOutput {
  readonly name: string;
  readonly parameters: Parameters;
}

/** An inference request, however it came. */
export interface InferRequest {
  readonly id: string | undefined;
  readonly parameters: Parameters;
  readonly inputs: readonly InferTensor[];
  /** Undefined or empty: all outputs. */
  readonly outputs: readonly RequestedOutput[] | undefined;
}

/** Values of an output. A rejected row has NaN, or an empty label; JSON writes NaN as null. */
export interface OutputTensor extends InferTensor {
  readonly data: Float32Array | Float64Array | readonly string[];
}

export interface InferAnswer {
  /** Whose name and version the answer states. */
  readonly model: OnlineModel;
  readonly id: string | undefined;
  /** In the order in which they were requested. */
  readonly outputs: readonly OutputTensor[];
}
