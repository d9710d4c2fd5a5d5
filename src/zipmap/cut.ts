import { attributesOf } from '../onnx/attributes.ts';
import { FLOAT } from '../onnx/element-types.ts';
import type { OnnxModel, OnnxNode } from '../onnx/model.ts';
import { valueMessage } from '../onnx/value-info.ts';
import { zipMapRefusal } from './refusal.ts';

/** A node that turns probabilities `[N, classes]` into a list of maps, which nothing that scores a table can read. */
export interface ZipMap {
  /** The output of the graph that is the list of maps. */
  readonly output: string;
  /** The tensor of probabilities, from which it is made. */
  readonly tensor: string;
  /** Names of the classes in the order of the tensor's columns; undefined where they are negative numbers. */
  readonly classes: readonly string[] | undefined;
}

/** `columns 0 (class no), 1 (class yes)`, for people. */
export function showColumns({ classes }: Pick<ZipMap, 'classes'>): string {
  if (classes === undefined) return 'one column per class';
  return `columns ${classes.map((name, i) => `${i} (class ${name})`).join(', ')}`;
}

/** The ZipMaps of a model's own graph. @throws RangeError where the bytes of one are no node */
export function zipMapsOf({ graph }: OnnxModel): ZipMap[] {
  return graph.nodes.filter(isZipMap).map((node) => ({
    output: node.outputs[0] ?? '',
    tensor: node.inputs[0] ?? '',
    classes: classesOf(node),
  }));
}

/**
 * The model without its ZipMaps: where the graph gave a list of maps it gives the tensor of probabilities, under the tensor's
 * own name. All else stays as it is, byte for byte.
 *
 * @throws ScoreBatchError `configuration` where there is none, or something else in the graph reads its maps
 */
export function withoutZipMaps(model: OnnxModel): OnnxModel {
  const { graph } = model;
  const zipMaps = zipMapsOf(model);
  if (zipMaps.length === 0) throw zipMapRefusal('it has no ZipMap in its graph', 'there is nothing to do');
  const nodes = graph.nodes.filter((node) => !isZipMap(node));
  const read = new Set(nodes.flatMap(({ inputs }) => inputs));
  for (const { output } of zipMaps) {
    if (read.has(output)) throw zipMapRefusal(`another node reads ${output}, which the ZipMap makes`);
  }
  const outputs = graph.outputs.flatMap((output) => {
    const zipMap = zipMaps.find((other) => other.output === output.name);
    if (zipMap === undefined) return [output];
    // The graph may give the tensor already.
    return graph.outputs.some(({ name }) => name === zipMap.tensor) ? [] : [tensorOutput(zipMap)];
  });
  const values = graph.values.filter(({ name }) => !zipMaps.some(({ output, tensor }) => name === output || name === tensor));
  return { ...model, graph: { ...graph, nodes, outputs, values } };
}

/** The model with its ZipMaps, and beside them the tensors from which they are made. */
export function withTensors(model: OnnxModel): OnnxModel {
  const { graph } = model;
  const zipMaps = zipMapsOf(model).filter(({ tensor }) => !graph.outputs.some(({ name }) => name === tensor));
  const values = graph.values.filter(({ name }) => !zipMaps.some(({ tensor }) => name === tensor));
  return { ...model, graph: { ...graph, values, outputs: [...graph.outputs, ...zipMaps.map(tensorOutput)] } };
}

function isZipMap({ domain, operator }: OnnxNode): boolean {
  return domain === 'ai.onnx.ml' && operator === 'ZipMap';
}

/** A ZipMap takes float32 only: https://onnx.ai/onnx/operators/onnx_aionnxml_ZipMap.html */
function tensorOutput({ tensor, classes }: ZipMap) {
  return { name: tensor, message: valueMessage(tensor, FLOAT, classes?.length) };
}

function classesOf({ message }: OnnxNode): readonly string[] | undefined {
  const attributes = attributesOf(message);
  if (attributes.has('classlabels_strings')) return attributes.texts('classlabels_strings');
  try {
    return attributes.integers('classlabels_int64s').map(String);
  } catch (error) {
    // Classes such as -1 and 1: their order is that of the tensor all the same.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
