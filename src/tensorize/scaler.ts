import { attributesOf } from '../onnx/attributes.ts';
import type { OnnxNode } from '../onnx/model.ts';
import type { Fragment } from './fragment.ts';

/**
 * Rewrites a `Scaler` of ai.onnx.ml, `(x - offset) * scale`, as two operations that have GPU kernels. Many pipelines put one
 * before the trees. https://onnx.ai/onnx/operators/onnx_aionnxml_Scaler.html
 *
 * @returns name of the output; undefined if the result might differ, so the node stays
 */
export function scalerOperations(fragment: Fragment, { inputs, message }: OnnxNode): string | undefined {
  const attributes = attributesOf(message);
  const [offset, scale] = [attributes.numbers('offset'), attributes.numbers('scale')];
  const [input] = inputs;
  if (input === undefined || offset.length === 0 || offset.length !== scale.length) return undefined;
  const shifted = fragment.apply('Sub', [input, fragment.constant('offset', [1, offset.length], offset)]);
  return fragment.apply('Mul', [shifted, fragment.constant('scale', [1, scale.length], scale)]);
}
