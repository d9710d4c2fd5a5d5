import { randomNodes } from './random-operators.ts';
import { eachField, type Span } from './wire.ts';

/** What a model file says of itself and the runtime's session does not expose. */
export interface ModelFacts {
  readonly producer: string;
  /** Version per operator set; the standard one is called `ai.onnx`. */
  readonly opsets: Readonly<Record<string, number>>;
  readonly metadata: Readonly<Record<string, string>>;
  /** Operators that are used, as `domain:name`, without those that the model itself defines. */
  readonly operators: ReadonlySet<string>;
  /** Other files from which tensors would be read. */
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

/** Fields that lead to what is of interest, by number: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto */
const MESSAGES: Readonly<Record<Message, Readonly<Record<number, Message>>>> = {
  model: { 7: 'graph', 8: 'opset', 14: 'property', 20: 'training', 25: 'function' },
  opset: {},
  property: {},
  training: { 1: 'graph', 2: 'graph' },
  function: { 7: 'node', 11: 'attribute' },
  graph: { 1: 'node', 5: 'tensor', 15: 'sparse' },
  node: { 5: 'attribute' },
  attribute: { 5: 'tensor', 6: 'graph', 10: 'tensor', 11: 'graph', 22: 'sparse', 23: 'sparse' },
  sparse: { 1: 'tensor', 2: 'tensor' },
  tensor: { 13: 'external' },
  external: {},
};

/** Fields of text or numbers. */
const VALUES: Partial<Record<Message, Readonly<Record<number, string>>>> = {
  model: { 2: 'producer', 3: 'producerVersion' },
  opset: { 1: 'domain', 2: 'version' },
  property: { 1: 'key', 2: 'value' },
  function: { 1: 'name', 10: 'domain' },
  node: { 3: 'label', 4: 'name', 7: 'domain' },
  tensor: { 8: 'name', 14: 'location' },
  external: { 1: 'key', 2: 'value' },
};

/** Messages within messages; parsers of protobuf stop there too, ONNX Runtime's among them. */
const DEEPEST = 100;

/** `TensorProto.DataLocation.EXTERNAL` */
const EXTERNAL = 1;

/**
 * Reads what a model file says, however large its tensors are: those are passed over.
 *
 * @throws RangeError where the bytes are no model
 */
export function modelFacts(bytes: Buffer): ModelFacts {
  const opsets = new Map<string, number>();
  const metadata = new Map<string, string>();
  const used = new Set<string>();
  const defined = new Set<string>();
  const files = new Set<string>();
  const random = randomNodes(bytes);
  let producer = '';

  /** @param runs whether a run comes by here: what is for training may draw what it likes */
  const walk = (message: Message, span: Span, depth: number, runs = true): void => {
    if (depth > DEEPEST) throw new RangeError(`it holds messages more than ${DEEPEST} deep`);
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
  walk('model', { start: 0, end: bytes.length }, 0);
  return {
    producer,
    opsets: Object.fromEntries(opsets),
    metadata: Object.fromEntries(metadata),
    operators: new Set([...used].filter((name) => !defined.has(name))),
    files,
    random: random.found(),
  };
}
