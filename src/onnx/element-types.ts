// Element types of a tensor, `TensorProto.DataType`: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto

export const FLOAT = 1;
export const INT32 = 6;
export const INT64 = 7;
export const STRING = 8;
export const BOOL = 9;
export const DOUBLE = 11;
