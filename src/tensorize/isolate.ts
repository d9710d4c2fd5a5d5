import { DOUBLE, FLOAT } from '../onnx/element-types.ts';
import type { OnnxModel } from '../onnx/model.ts';
import { valueMessage } from '../onnx/value-info.ts';
import type { Tensorized } from './tensorize.ts';

/**
 * A model of one ensemble alone, so that it can be tried at its thresholds whatever computes its features in the original.
 *
 * @param width number of features
 */
export function isolateEnsemble(
  { graph, ...model }: OnnxModel,
  { node, double }: Tensorized['ensembles'][number],
  width: number,
): OnnxModel {
  const type = double ? DOUBLE : FLOAT;
  return {
    ...model,
    graph: {
      ...graph,
      nodes: [node],
      constants: [],
      inputs: [{ name: node.inputs[0] ?? '', message: valueMessage(node.inputs[0] ?? '', type, width) }],
      outputs: node.outputs.slice(-1).map((name) => ({ name, message: valueMessage(name, FLOAT) })),
      values: [],
      rest: graph.rest,
    },
  };
}
