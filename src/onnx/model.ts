import { field, opsetMessage } from './encode.ts';
import { ATTRIBUTE, GRAPH, MODEL, NODE, OPSET, TENSOR, VALUE_INFO } from './fields.ts';
import { eachField, type Span, spanOf, textAt } from './wire.ts';

/** An input, an output, a constant or a typed value of a graph: its name, and its message as bytes of the file. */
interface NamedMessage {
  readonly name: string;
  readonly message: Uint8Array;
}

export interface OnnxNode {
  readonly name: string;
  readonly operator: string;
  /** `ai.onnx` for the standard operator set. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Whether it contains graphs, as `If`, `Loop` and `Scan` do. */
  readonly nests: boolean;
  readonly message: Uint8Array;
}

interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly constants: readonly NamedMessage[];
  readonly inputs: readonly NamedMessage[];
  readonly outputs: readonly NamedMessage[];
  /** Types of intermediate values. */
  readonly values: readonly NamedMessage[];
  /** All other fields, with their tags. */
  readonly rest: readonly Uint8Array[];
}

/** A model's parts as plain values. Unknown fields are kept byte for byte, so that writing the model preserves them. */
export interface OnnxModel {
  readonly irVersion: number;
  /** Version per operator set; the standard one is `ai.onnx`. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly graph: OnnxGraph;
  /** All other fields, with their tags. */
  readonly rest: readonly Uint8Array[];
}

const STANDARD = 'ai.onnx';

/** @throws RangeError if the bytes are not a model, or its graph comes in several parts */
export function parseModel(bytes: Uint8Array): OnnxModel {
  const opsets = new Map<string, number>();
  const graphs: OnnxGraph[] = [];
  const rest: Uint8Array[] = [];
  let irVersion = 0;
  const keep = (_field: number, _content: unknown, whole: Span): void => void rest.push(part(bytes, whole));
  const visit = (number: number, content: Span | number, whole: Span): void => {
    if (number === MODEL.irVersion && typeof content === 'number') irVersion = content;
    else if (number === MODEL.graph && typeof content === 'object') graphs.push(parseGraph(bytes, content));
    else if (number === MODEL.opsets && typeof content === 'object') {
      const { texts, numbers } = valuesOf(bytes, content);
      const domain = texts.get(OPSET.domain)?.[0] || STANDARD;
      opsets.set(domain, Math.max(opsets.get(domain) ?? 0, numbers.get(OPSET.version) ?? 0));
    } else keep(number, content, whole);
  };
  eachField(bytes, spanOf(bytes), visit, keep);
  const [graph] = graphs;
  if (graph === undefined) throw new RangeError('it has no graph');
  // Protobuf parsers would merge the parts, but no exporter writes them.
  if (graphs.length > 1) throw new RangeError('its graph is in several parts');
  return { irVersion, opsets, graph, rest };
}

function parseGraph(bytes: Uint8Array, span: Span): OnnxGraph {
  const graph = {
    nodes: [] as OnnxNode[],
    constants: [] as NamedMessage[],
    inputs: [] as NamedMessage[],
    outputs: [] as NamedMessage[],
    values: [] as NamedMessage[],
    rest: [] as Uint8Array[],
  };
  const keep = (_field: number, _content: unknown, whole: Span): void => void graph.rest.push(part(bytes, whole));
  const visit = (number: number, content: Span | number, whole: Span): void => {
    const named = (name: number): NamedMessage => {
      if (typeof content === 'number') throw new RangeError('it has a number where a message should be');
      return { name: valuesOf(bytes, content).texts.get(name)?.at(-1) ?? '', message: part(bytes, content) };
    };
    switch (number) {
      case GRAPH.nodes:
        if (typeof content === 'object') graph.nodes.push(parseNode(bytes, content));
        break;
      case GRAPH.initializers:
        graph.constants.push(named(TENSOR.name));
        break;
      case GRAPH.inputs:
        graph.inputs.push(named(VALUE_INFO.name));
        break;
      case GRAPH.outputs:
        graph.outputs.push(named(VALUE_INFO.name));
        break;
      case GRAPH.values:
        graph.values.push(named(VALUE_INFO.name));
        break;
      default:
        keep(number, content, whole);
    }
  };
  eachField(bytes, span, visit, keep);
  return graph;
}

function parseNode(bytes: Uint8Array, span: Span): OnnxNode {
  const { texts, spans } = valuesOf(bytes, span);
  const nests = (spans.get(NODE.attributes) ?? []).some((attribute) => {
    const { spans: parts } = valuesOf(bytes, attribute);
    return parts.has(ATTRIBUTE.graph) || parts.has(ATTRIBUTE.graphs);
  });
  return {
    name: texts.get(NODE.name)?.at(-1) ?? '',
    operator: texts.get(NODE.operator)?.at(-1) ?? '',
    domain: texts.get(NODE.domain)?.at(-1) || STANDARD,
    inputs: texts.get(NODE.inputs) ?? [],
    outputs: texts.get(NODE.outputs) ?? [],
    nests,
    message: part(bytes, span),
  };
}

/** Fields of a message by number: spans, which decode to strings on demand, and numbers, of which the last one counts. */
function valuesOf(bytes: Uint8Array, span: Span) {
  const spans = new Map<number, Span[]>();
  const numbers = new Map<number, number>();
  eachField(bytes, span, (number, content) => {
    if (typeof content === 'number') numbers.set(number, content);
    else {
      const found = spans.get(number);
      if (found) found.push(content);
      else spans.set(number, [content]);
    }
  });
  const texts = {
    get: (number: number) => spans.get(number)?.map((content) => textAt(bytes, content)),
  };
  return { texts, spans, numbers };
}

function part(bytes: Uint8Array, { start, end }: Span): Uint8Array {
  return bytes.subarray(start, end);
}

/** The bytes of a model file. */
export function serializeModel({ irVersion, opsets, graph, rest }: OnnxModel): Buffer {
  const named = (number: number, messages: readonly { readonly message: Uint8Array }[]) =>
    messages.map(({ message }) => field(number, message));
  return Buffer.concat([
    field(MODEL.irVersion, irVersion),
    ...rest,
    field(MODEL.graph, [
      ...named(GRAPH.nodes, graph.nodes),
      ...graph.rest,
      ...named(GRAPH.initializers, graph.constants),
      ...named(GRAPH.inputs, graph.inputs),
      ...named(GRAPH.outputs, graph.outputs),
      ...named(GRAPH.values, graph.values),
    ]),
    ...[...opsets].map(([domain, version]) => field(MODEL.opsets, opsetMessage(domain === STANDARD ? '' : domain, version))),
  ]);
}
