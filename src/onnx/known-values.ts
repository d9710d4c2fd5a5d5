import { attributesOf } from './attributes.ts';
import { type Flow, movedColumns, type SourceColumn, splitColumns } from './column-flow.ts';
import { BOOL } from './element-types.ts';
import { type OnnxModel, type OnnxNode, parseModel } from './model.ts';
import { constantsOf, type TensorValues, tensorValues } from './tensor-values.ts';

/** What a model file reveals about the values of one column. */
export interface KnownValues extends SourceColumn {
  /** Strings that every encoder of the column knows, in the file's order; undefined if the file lists none. */
  readonly texts: readonly string[] | undefined;
  /** Integers that an encoder knows, or that trees test for equality. */
  readonly codes: readonly number[];
  /** What else the model does with the column, for people. */
  readonly notes: readonly string[];
}

interface Findings {
  readonly lists: (readonly string[])[];
  readonly codes: Set<number>;
  /** Single values that the column is compared with. It may have others. */
  readonly compared: Set<string>;
  /** Operators that use the column in another way. */
  readonly readers: Set<string>;
}

/**
 * Finds the encoders of a model (OneHotEncoder, LabelEncoder, CategoryMapper, and equality tests of trees) and the input
 * columns that reach them.
 *
 * @param inputs the graph's inputs and the columns of each
 * @returns one entry per column, in order
 * @throws RangeError if the bytes are not a model
 */
export function knownValues(bytes: Uint8Array, inputs: readonly { name: string; width: number }[]): KnownValues[] {
  const model = parseModel(bytes);
  const columns = inputs.flatMap(({ name, width }) =>
    Array.from({ length: width }, (_, position) => ({ input: name, position })),
  );
  const findings = new Map(columns.map((column) => [nameOf(column), emptyFindings()]));
  const of = (column: SourceColumn): Findings => findings.get(nameOf(column)) ?? emptyFindings();
  follow(model, columns, of);
  const nests = model.graph.nodes.some((node) => node.nests);
  return columns.map((column) => ({ ...column, ...conclusion(of(column), nests) }));
}

/** One pass is enough: the ONNX format sorts nodes so that each comes after its inputs. */
function follow(model: OnnxModel, columns: readonly SourceColumn[], of: (column: SourceColumn) => Findings): void {
  const constants = constantsOf(model);
  const flows = new Map<string, Flow>(
    [...new Set(columns.map(({ input }) => input))].map((name) => [name, columns.filter(({ input }) => input === name)]),
  );
  for (const node of model.graph.nodes) {
    const [first = ''] = node.inputs;
    const flow = flows.get(first);
    const parts = flow === undefined ? undefined : splitColumns(node, flow, constants);
    const moved = movedColumns(node, flows, constants);
    if (parts !== undefined) for (const [i, part] of parts.entries()) flows.set(node.outputs[i] ?? '', part);
    else if (moved !== undefined) flows.set(node.outputs[0] ?? '', moved);
    else {
      for (const name of node.inputs) {
        for (const [i, column] of (flows.get(name) ?? []).entries())
          recordUse({ node, position: i, found: of(column), model, constants });
      }
    }
  }
}

/** Records what a node does with a column that is element `position` of its input. */
function recordUse({ node, position, found, model, constants }: Use): void {
  const attributes = attributesOf(node.message);
  const addCodes = (values: Iterable<number>): void => {
    for (const value of values) found.codes.add(value);
  };
  switch (node.operator) {
    case 'OneHotEncoder':
    case 'CategoryMapper': {
      const texts = attributes.texts('cats_strings');
      if (texts.length > 0) found.lists.push(texts);
      else addCodes(attributes.signed('cats_int64s'));
      return;
    }
    case 'LabelEncoder': {
      const tensor = attributes.tensor('keys_tensor');
      const keys = tensor === undefined ? undefined : tensorValues(tensor);
      const texts = [...attributes.texts('keys_strings'), ...attributes.texts('classes_strings'), ...(keys?.texts ?? [])];
      if (texts.length > 0 && isTest(node, model)) for (const text of texts) found.compared.add(text);
      else if (texts.length > 0) found.lists.push(texts);
      else addCodes([...attributes.signed('keys_int64s'), ...(keys?.integers ?? [])]);
      return;
    }
    case 'Equal': {
      const values = node.inputs.map((name) => constants.get(name));
      for (const text of values.flatMap((value) => value?.texts ?? [])) found.compared.add(text);
      if (!values.some((value) => value !== undefined)) found.readers.add('Equal');
      return;
    }
    case 'TreeEnsembleClassifier':
    case 'TreeEnsembleRegressor': {
      const features = attributes.integers('nodes_featureids');
      const values = attributes.numbers(attributes.has('nodes_values') ? 'nodes_values' : 'nodes_values_as_tensor');
      for (const [i, mode] of attributes.texts('nodes_modes').entries()) {
        const value = values[i];
        if (mode === 'BRANCH_EQ' && features[i] === position && value !== undefined) found.codes.add(value);
      }
      return;
    }
    case 'Shape':
      return;
    default:
      found.readers.add(node.operator);
  }
}

/** Whether a LabelEncoder only yields true or false: skl2onnx encodes its test for a missing string this way. */
function isTest({ outputs: [output] }: OnnxNode, { graph }: OnnxModel): boolean {
  const readers = graph.nodes.filter(({ inputs }) => inputs.some((name) => name === output));
  return (
    readers.length > 0 &&
    readers.every(({ operator, message }) => operator === 'Cast' && attributesOf(message).integers('to')[0] === BOOL)
  );
}

function conclusion({ lists, codes, compared, readers }: Findings, nests: boolean): Omit<KnownValues, keyof SourceColumn> {
  // Sets, because an encoder may know a hundred thousand values.
  const sets = lists.map((list) => new Set(list));
  const texts = [...(sets[0] ?? [])].filter((text) => sets.every((set) => set.has(text)));
  const differ = sets.some((set) => set.size !== texts.length);
  return {
    texts: texts.length > 0 ? texts : undefined,
    codes: [...codes].sort((a, b) => a - b),
    notes: [
      ...(differ ? ['the encoders of this column do not know the same values'] : []),
      ...(compared.size > 0 ? [`compared with ${[...compared].map((text) => JSON.stringify(text)).join(', ')}`] : []),
      ...(readers.size > 0 ? [`read by ${[...readers].join(', ')}`] : []),
      ...(texts.length === 0 && nests ? ['graphs inside nodes were not searched'] : []),
    ],
  };
}

interface Use {
  readonly node: OnnxNode;
  readonly position: number;
  readonly found: Findings;
  readonly model: OnnxModel;
  readonly constants: ReadonlyMap<string, TensorValues>;
}

function emptyFindings(): Findings {
  return { lists: [], codes: new Set(), compared: new Set(), readers: new Set() };
}

function nameOf({ input, position }: SourceColumn): string {
  return `${position} ${input}`;
}
