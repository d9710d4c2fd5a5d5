import { attributesOf } from '../onnx/attributes.ts';
import { FLOAT } from '../onnx/element-types.ts';
import type { OnnxModel, OnnxNode } from '../onnx/model.ts';
import { valueMessage } from '../onnx/value-info.ts';
import { zipMapRefusal } from './refusal.ts';

/** A node that turns probabilities `[N, classes]` into a list of maps, which a batch scorer cannot read. */
export interface ZipMap {
  /** The graph output that is the list of maps. */
  readonly output: string;
  /** Its source, the tensor of probabilities. */
  readonly tensor: string;
  /** Names of the classes in the order of the tensor's columns; undefined if they include negative numbers. */
  readonly classes: readonly string[] | undefined;
}

/** For example `columns 0 (class no), 1 (class yes)`. */
export function showColumns({ classes }: Pick<ZipMap, 'classes'>): string {
  if (classes === undefined) return 'one column per class';
  return `columns ${classes.map((name, i) => `${i} (class ${name})`).join(', ')}`;
}

/** The ZipMaps of a model's main graph. @throws RangeError if the bytes of one are not a node */
export function zipMapsOf({ graph }: OnnxModel): ZipMap[] {
  return graph.nodes.filter(isZipMap).map((node) => ({
    output: node.outputs[0] ?? '',
    tensor: node.inputs[0] ?? '',
    classes: classesOf(node),
  }));
}

/**
 * The model without its ZipMaps. The tensor of probabilities, under its own name, replaces each list of maps as an output.
 * Everything else stays the same, byte for byte.
 *
 * @throws ScoreBatchError `configuration` if it has none, or another node reads its maps
 */
export function withoutZipMaps(model: OnnxModel): OnnxModel {
  const { graph } = model;
  const zipMaps = zipMapsOf(model);
  if (zipMaps.length === 0) throw zipMapRefusal('its graph has no ZipMap', 'there is nothing to remove');
  const nodes = graph.nodes.filter((node) => !isZipMap(node));
  const read = new Set(nodes.flatMap(({ inputs }) => inputs));
  for (const { output } of zipMaps) {
    if (read.has(output)) throw zipMapRefusal(`another node reads ${output}, the output of the ZipMap`);
  }
  const outputs = graph.outputs.flatMap((output) => {
    const zipMap = zipMaps.find((other) => other.output === output.name);
    if (zipMap === undefined) return [output];
    // The tensor may already be an output.
    return graph.outputs.some(({ name }) => name === zipMap.tensor) ? [] : [tensorOutput(zipMap)];
  });
  const values = graph.values.filter(({ name }) => !zipMaps.some(({ output, tensor }) => name === output || name === tensor));
  return { ...model, graph: { ...graph, nodes, outputs, values } };
}

/** The model with its ZipMaps and, as additional outputs, their tensors. */
export function withTensors(model: OnnxModel): OnnxModel {
  const { graph } = model;
  const zipMaps = zipMapsOf(model).filter(({ tensor }) => !graph.outputs.some(({ name }) => name === tensor));
  const values = graph.values.filter(({ name }) => !zipMaps.some(({ tensor }) => name === tensor));
  return { ...model, graph: { ...graph, values, outputs: [...graph.outputs, ...zipMaps.map(tensorOutput)] } };
}

function isZipMap({ domain, operator }: OnnxNode): boolean {
  return domain === 'ai.onnx.ml' && operator === 'ZipMap';
}

/** A ZipMap only takes float32: https://onnx.ai/onnx/operators/onnx_aionnxml_ZipMap.html */
function tensorOutput({ tensor, classes }: ZipMap) {
  return { name: tensor, message: valueMessage(tensor, FLOAT, classes?.length) };
}

function classesOf({ message }: OnnxNode): readonly string[] | undefined {
  const attributes = attributesOf(message);
  if (attributes.has('classlabels_strings')) return attributes.texts('classlabels_strings');
  try {
    return attributes.integers('classlabels_int64s').map(String);
  } catch (error) {
    // Classes such as -1 and 1. The tensor's columns follow their order anyway.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
