// Numbers of the fields of an ONNX file, by message: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto

/** `ModelProto` */
export const MODEL = {
  irVersion: 1,
  producerName: 2,
  producerVersion: 3,
  graph: 7,
  opsets: 8,
  metadata: 14,
  training: 20,
  functions: 25,
} as const;

/** `OperatorSetIdProto` */
export const OPSET = { domain: 1, version: 2 } as const;

/** `StringStringEntryProto` */
export const ENTRY = { key: 1, value: 2 } as const;

/** `TrainingInfoProto` */
export const TRAINING = { initialization: 1, algorithm: 2 } as const;

/** `FunctionProto` */
export const FUNCTION = { name: 1, nodes: 7, domain: 10, attributes: 11 } as const;

/** `GraphProto` */
export const GRAPH = { nodes: 1, initializers: 5, inputs: 11, outputs: 12, values: 13, sparseInitializers: 15 } as const;

/** `NodeProto` */
export const NODE = { inputs: 1, outputs: 2, name: 3, operator: 4, attributes: 5, domain: 7 } as const;

/** `AttributeProto` */
export const ATTRIBUTE = {
  name: 1,
  integer: 3,
  text: 4,
  tensor: 5,
  graph: 6,
  floats: 7,
  integers: 8,
  texts: 9,
  tensors: 10,
  graphs: 11,
  type: 20,
  sparseTensor: 22,
  sparseTensors: 23,
} as const;

/** `SparseTensorProto` */
export const SPARSE_TENSOR = { values: 1, indices: 2 } as const;

/** `TensorProto` */
export const TENSOR = {
  shape: 1,
  elementType: 2,
  floats: 4,
  int32s: 5,
  texts: 6,
  int64s: 7,
  name: 8,
  raw: 9,
  doubles: 10,
  external: 13,
  location: 14,
} as const;

/** `ValueInfoProto` */
export const VALUE_INFO = { name: 1, type: 2 } as const;

/** `TypeProto` */
export const TYPE = { tensor: 1 } as const;

/** `TypeProto.Tensor` */
export const TENSOR_TYPE = { elementType: 1, shape: 2 } as const;

/** `TensorShapeProto` */
export const SHAPE = { dimensions: 1 } as const;

/** `TensorShapeProto.Dimension` */
export const DIMENSION = { size: 1, name: 2 } as const;
