import { ScoreBatchError } from '../errors.ts';

/** The error for a model whose ZipMap cannot be removed. @param why a clause without a full stop */
export function zipMapRefusal(
  why: string,
  hint = "export the model again with options={'zipmap': False} in skl2onnx, or zipmap=False in onnxmltools",
): ScoreBatchError {
  return new ScoreBatchError('configuration', `cannot remove the ZipMap from the model: ${why}`, { hint });
}
