import { ATTRIBUTE, ENTRY, FUNCTION, GRAPH, MODEL, NODE, OPSET, SPARSE_TENSOR, TENSOR, TRAINING } from './fields.ts';
import { randomNodes } from './random-operators.ts';
import { eachField, type Span, spanOf } from './wire.ts';

/** Facts of a model file that the runtime's session does not expose. */
export interface ModelFacts {
  readonly producer: string;
  /** Version per operator set; the standard one is `ai.onnx`. */
  readonly opsets: Readonly<Record<string, number>>;
  readonly metadata: Readonly<Record<string, string>>;
  /** Operators in use, as `domain:name`, except those that the model defines itself. */
  readonly operators: ReadonlySet<string>;
  /** Other files that hold tensors of the model. */
  readonly files: ReadonlySet<string>;
  /** Nodes that draw random numbers, each as `domain:name (name of the node)`. */
  readonly random: readonly string[];
}

type Message =
  | 'model'
  | 'opset'
  | 'property'
  | 'training'
  | 'function'
  | 'graph'
  | 'node'
  | 'attribute'
  | 'sparse'
  | 'tensor'
  | 'external';

/** Fields that are messages worth reading. */
const MESSAGES: Readonly<Record<Message, Readonly<Record<number, Message>>>> = {
  model: {
    [MODEL.graph]: 'graph',
    [MODEL.opsets]: 'opset',
    [MODEL.metadata]: 'property',
    [MODEL.training]: 'training',
    [MODEL.functions]: 'function',
  },
  opset: {},
  property: {},
  training: { [TRAINING.initialization]: 'graph', [TRAINING.algorithm]: 'graph' },
  function: { [FUNCTION.nodes]: 'node', [FUNCTION.attributes]: 'attribute' },
  graph: { [GRAPH.nodes]: 'node', [GRAPH.initializers]: 'tensor', [GRAPH.sparseInitializers]: 'sparse' },
  node: { [NODE.attributes]: 'attribute' },
  attribute: {
    [ATTRIBUTE.tensor]: 'tensor',
    [ATTRIBUTE.graph]: 'graph',
    [ATTRIBUTE.tensors]: 'tensor',
    [ATTRIBUTE.graphs]: 'graph',
    [ATTRIBUTE.sparseTensor]: 'sparse',
    [ATTRIBUTE.sparseTensors]: 'sparse',
  },
  sparse: { [SPARSE_TENSOR.values]: 'tensor', [SPARSE_TENSOR.indices]: 'tensor' },
  tensor: { [TENSOR.external]: 'external' },
  external: {},
};

/** Fields that are strings or numbers. */
const VALUES: Partial<Record<Message, Readonly<Record<number, string>>>> = {
  model: { [MODEL.producerName]: 'producer', [MODEL.producerVersion]: 'producerVersion' },
  opset: { [OPSET.domain]: 'domain', [OPSET.version]: 'version' },
  property: { [ENTRY.key]: 'key', [ENTRY.value]: 'value' },
  function: { [FUNCTION.name]: 'name', [FUNCTION.domain]: 'domain' },
  node: { [NODE.name]: 'label', [NODE.operator]: 'name', [NODE.domain]: 'domain' },
  tensor: { [TENSOR.name]: 'name', [TENSOR.location]: 'location' },
  external: { [ENTRY.key]: 'key', [ENTRY.value]: 'value' },
};

/** The nesting limit of protobuf parsers, ONNX Runtime's included. */
const MAX_DEPTH = 100;

/** `TensorProto.DataLocation.EXTERNAL` */
const EXTERNAL = 1;

/**
 * Reads the facts of a model file. Skips the values of tensors, so their size does not matter.
 *
 * @throws RangeError if the bytes are not a model
 */
export function modelFacts(bytes: Buffer): ModelFacts {
  const opsets = new Map<string, number>();
  const metadata = new Map<string, string>();
  const used = new Set<string>();
  const defined = new Set<string>();
  const files = new Set<string>();
  const random = randomNodes(bytes);
  let producer = '';

  /** @param runs whether inference runs this part; the training part may draw random numbers */
  const walk = (message: Message, span: Span, depth: number, runs = true): void => {
    if (depth > MAX_DEPTH) throw new RangeError(`it nests messages more than ${MAX_DEPTH} deep`);
    const values = new Map<string | undefined, string | number>();
    eachField(bytes, span, (field, content) => {
      const inner = MESSAGES[message][field];
      if (typeof content === 'number') values.set(VALUES[message]?.[field], content);
      else if (inner !== undefined) {
        walk(inner, content, depth + 1, runs && message !== 'training');
        if (message === 'graph' && inner === 'tensor') random.initializer(content);
      } else if (VALUES[message]?.[field] !== undefined) {
        values.set(VALUES[message][field], bytes.toString('utf8', content.start, content.end));
      }
    });
    const text = (name: string) => String(values.get(name) ?? '');
    const operator = () => `${text('domain') || 'ai.onnx'}:${text('name')}`;
    switch (message) {
      case 'model':
        producer = [text('producer'), text('producerVersion')].filter(Boolean).join(' ');
        break;
      case 'opset':
        opsets.set(text('domain') || 'ai.onnx', Number(values.get('version') ?? 0));
        break;
      case 'property':
        metadata.set(text('key'), text('value'));
        break;
      case 'function':
        defined.add(operator());
        break;
      case 'node':
        used.add(operator());
        if (runs) random.node(operator(), text('label'), span);
        break;
      case 'external':
        if (text('key') === 'location') files.add(text('value'));
        break;
      case 'tensor':
        if (values.get('location') === EXTERNAL && files.size === 0) files.add(`the tensor ${text('name')}`);
        break;
    }
  };
  walk('model', spanOf(bytes), 0);
  return {
    producer,
    opsets: Object.fromEntries(opsets),
    metadata: Object.fromEntries(metadata),
    operators: new Set([...used].filter((name) => !defined.has(name))),
    files,
    random: random.found(),
  };
}
