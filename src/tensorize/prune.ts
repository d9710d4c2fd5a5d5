import type { OnnxModel, OnnxNode } from '../onnx/model.ts';
import { refusal } from './refusal.ts';

/**
 * The model with one output, without the nodes and constants that this output does not need.
 *
 * @throws ScoreBatchError `configuration` if there is no such output, or a needed node contains graphs
 */
export function pruneToOutput(model: OnnxModel, output: string): OnnxModel {
  const { graph } = model;
  const outputs = graph.outputs.filter(({ name }) => name === output);
  if (outputs.length !== 1) throw refusal(`it has no output ${output}`, 'set output in model.yaml');
  const producers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const needed = new Set<OnnxNode>();
  const names = [output];
  const neededNames = new Set(names);
  for (let name = names.pop(); name !== undefined; name = names.pop()) {
    const node = producers.get(name);
    if (node === undefined || needed.has(node)) continue;
    needed.add(node);
    if (node.nests) throw refusal(`it has ${node.operator}, which contains graphs`);
    for (const input of node.inputs) {
      if (neededNames.has(input)) continue;
      neededNames.add(input);
      names.push(input);
    }
  }
  return {
    ...model,
    graph: {
      ...graph,
      nodes: graph.nodes.filter((node) => needed.has(node)),
      constants: graph.constants.filter(({ name }) => neededNames.has(name)),
      outputs,
      values: graph.values.filter(({ name }) => neededNames.has(name)),
    },
  };
}
