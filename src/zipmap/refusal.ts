import { ScoreBatchError } from '../errors.ts';

/** A model whose ZipMap cannot be cut. @param why a clause without a full stop */
export function zipMapRefusal(
  why: string,
  hint = "export the model again with options={'zipmap': False} in skl2onnx, or zipmap=False in onnxmltools",
): ScoreBatchError {
  return new ScoreBatchError('configuration', `the ZipMap cannot be cut from the model: ${why}`, { hint });
}
