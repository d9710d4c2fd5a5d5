import type { OnnxModel } from '../onnx/model.ts';
import { DOUBLE, FLOAT, valueMessage } from '../onnx/types.ts';
import type { Tensorized } from './tensorize.ts';

/**
 * A model that is one ensemble and nothing else, so that it can be tried at its thresholds, wherever its features come from.
 *
 * @param width number of features
 */
export function isolated(
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
