import { field, opsetMessage } from './encode.ts';
import { eachField, type Span } from './wire.ts';

/** An input, an output, a constant or a typed value of a graph: its name, and its message as it stands in the file. */
interface NamedMessage {
  readonly name: string;
  readonly message: Uint8Array;
}

export interface OnnxNode {
  readonly name: string;
  readonly operator: string;
  /** `ai.onnx` where it is the standard one. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Whether it holds graphs of its own, as `If`, `Loop` and `Scan` do. */
  readonly nests: boolean;
  readonly message: Uint8Array;
}

interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly constants: readonly NamedMessage[];
  readonly inputs: readonly NamedMessage[];
  readonly outputs: readonly NamedMessage[];
  /** What is said of the types of values in between. */
  readonly values: readonly NamedMessage[];
  /** All other fields, with their tags. */
  readonly rest: readonly Uint8Array[];
}

/** A model's parts as plain values. What is not known is kept as it is, byte for byte, so that it is written again. */
export interface OnnxModel {
  readonly irVersion: number;
  /** Version per operator set; the standard one is called `ai.onnx`. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly graph: OnnxGraph;
  /** All other fields, with their tags. */
  readonly rest: readonly Uint8Array[];
}

const STANDARD = 'ai.onnx';

/** @throws RangeError where the bytes are no model, or one whose graph stands there in parts */
export function parseModel(bytes: Uint8Array): OnnxModel {
  const opsets = new Map<string, number>();
  const graphs: OnnxGraph[] = [];
  const rest: Uint8Array[] = [];
  let irVersion = 0;
  const all = { start: 0, end: bytes.length };
  const keep = (_field: number, _content: unknown, whole: Span): void => void rest.push(part(bytes, whole));
  const visit = (number: number, content: Span | number, whole: Span): void => {
    if (number === 1 && typeof content === 'number') irVersion = content;
    else if (number === 7 && typeof content === 'object') graphs.push(parseGraph(bytes, content));
    else if (number === 8 && typeof content === 'object') {
      const { texts, numbers } = valuesOf(bytes, content);
      const domain = texts.get(1)?.[0] || STANDARD;
      opsets.set(domain, Math.max(opsets.get(domain) ?? 0, numbers.get(2) ?? 0));
    } else keep(number, content, whole);
  };
  eachField(bytes, all, visit, keep);
  const [graph] = graphs;
  if (graph === undefined) throw new RangeError('it has no graph');
  // Parsers merge them; nobody writes them.
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
      case 1:
        if (typeof content === 'object') graph.nodes.push(parseNode(bytes, content));
        break;
      case 5:
        graph.constants.push(named(8));
        break;
      case 11:
        graph.inputs.push(named(1));
        break;
      case 12:
        graph.outputs.push(named(1));
        break;
      case 13:
        graph.values.push(named(1));
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
  const nests = (spans.get(5) ?? []).some((attribute) => {
    const { spans: parts } = valuesOf(bytes, attribute);
    return parts.has(6) || parts.has(11);
  });
  return {
    name: texts.get(3)?.at(-1) ?? '',
    operator: texts.get(4)?.at(-1) ?? '',
    domain: texts.get(7)?.at(-1) || STANDARD,
    inputs: texts.get(1) ?? [],
    outputs: texts.get(2) ?? [],
    nests,
    message: part(bytes, span),
  };
}

/** Fields of a message by number: what has a length as spans, and as texts when asked for; of numbers the last, which it is. */
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
    get: (number: number) => spans.get(number)?.map((content) => Buffer.from(part(bytes, content)).toString('utf8')),
  };
  return { texts, spans, numbers };
}

function part(bytes: Uint8Array, { start, end }: Span): Uint8Array {
  return bytes.subarray(start, end);
}

/** The model as a file. */
export function serializeModel({ irVersion, opsets, graph, rest }: OnnxModel): Buffer {
  const named = (number: number, messages: readonly { readonly message: Uint8Array }[]) =>
    messages.map(({ message }) => field(number, message));
  return Buffer.concat([
    field(1, irVersion),
    ...rest,
    field(7, [
      ...named(1, graph.nodes),
      ...graph.rest,
      ...named(5, graph.constants),
      ...named(11, graph.inputs),
      ...named(12, graph.outputs),
      ...named(13, graph.values),
    ]),
    ...[...opsets].map(([domain, version]) => field(8, opsetMessage(domain === STANDARD ? '' : domain, version))),
  ]);
}
