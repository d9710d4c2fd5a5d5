import fc from 'fast-check';
import { DOUBLE, FLOAT } from '../../src/onnx/element-types.ts';
import { opsetMessage } from '../../src/onnx/encode.ts';
import { valueMessage } from '../../src/onnx/value-info.ts';
import { field } from '../support/onnx.ts';

/** A `TreeEnsembleClassifier` or `TreeEnsembleRegressor` as exporters write it, by the names of its attributes. */
export interface Forest {
  readonly operator: 'TreeEnsembleClassifier' | 'TreeEnsembleRegressor';
  readonly double: boolean;
  readonly integers: Readonly<Record<string, readonly number[]>>;
  readonly numbers: Readonly<Record<string, readonly number[]>>;
  /** Numbers of float64, in tensors. */
  readonly tensors: Readonly<Record<string, readonly number[]>>;
  readonly texts: Readonly<Record<string, readonly string[]>>;
}

export const WIDTH = 3;

const MODES = ['BRANCH_LEQ', 'BRANCH_LT', 'BRANCH_GTE', 'BRANCH_GT', 'BRANCH_EQ', 'BRANCH_NEQ'];

/** An operator, its number of outputs, and those to which leaves add: as many trees for each, or all trees to some. */
const KINDS: readonly (readonly [Forest['operator'], number, readonly number[] | 'one each'])[] = [
  ['TreeEnsembleRegressor', 1, [0]],
  ['TreeEnsembleRegressor', 2, [0, 1]],
  ['TreeEnsembleRegressor', 2, [1]],
  ['TreeEnsembleClassifier', 1, [0]],
  ['TreeEnsembleClassifier', 2, [0]],
  ['TreeEnsembleClassifier', 2, [1]],
  ['TreeEnsembleClassifier', 2, [0, 1]],
  ['TreeEnsembleClassifier', 2, 'one each'],
  ['TreeEnsembleClassifier', 3, [0, 1, 2]],
  ['TreeEnsembleClassifier', 3, 'one each'],
  ['TreeEnsembleClassifier', 4, [1, 3]],
];

type Node = { feature: number; threshold: number; mode: string; missing: boolean; yes: Node; no: Node } | { leaf: number[] };

/** Trees of any shape down to one leaf, of every mode, and what is said besides of missing values, classes, base values and transforms. */
export const forests: fc.Arbitrary<Forest> = fc
  .record({
    kind: fc.constantFrom(...KINDS),
    modes: fc.constantFrom(MODES, MODES.slice(0, 1), MODES.slice(1, 2), ['BRANCH_LEQ', 'BRANCH_EQ']),
    missing: fc.constantFrom('never', 'always', 'sometimes'),
    transform: fc.constantFrom('NONE', 'LOGISTIC', 'SOFTMAX'),
    positive: fc.boolean(),
    base: fc.boolean(),
    average: fc.boolean(),
    double: fc.boolean(),
    tensors: fc.boolean(),
    seeds: fc.array(fc.array(fc.nat(1000), { minLength: 1, maxLength: 80 }), { minLength: 1, maxLength: 6 }),
  })
  .map(
    ({ kind: [operator, outputs, weighted], modes, missing, transform, positive, base, average, double, tensors, seeds }) => {
      const classifier = operator === 'TreeEnsembleClassifier';
      const boosted = weighted === 'one each';
      const count = boosted ? Math.ceil(seeds.length / outputs) * outputs : seeds.length;
      const ids = (tree: number): readonly number[] => (boosted ? [tree % outputs] : weighted);
      const trees = Array.from({ length: count }, (_, tree) => {
        const seed = seeds[tree % seeds.length] ?? [];
        let at = 0;
        const next = (): number => seed[at++] ?? 0;
        const grow = (depth: number): Node => {
          // The numbers end, and with them the tree.
          if (depth > 6 || next() % 10 < 2 + depth || at > seed.length) {
            return { leaf: ids(tree).map(() => ((next() % 200) - (positive ? 0 : 100)) / 64) };
          }
          return {
            feature: next() % WIDTH,
            threshold: ((next() % 9) - 4) / (next() % 2 === 0 ? 1 : 3),
            mode: modes[next() % modes.length] ?? '',
            missing: missing === 'always' || (missing === 'sometimes' && next() % 2 === 0),
            yes: grow(depth + 1),
            no: grow(depth + 1),
          };
        };
        return grow(0);
      });
      const baseCount = classifier && outputs === 2 ? 1 : outputs;
      return written(trees, {
        ids,
        classifier,
        double,
        tensors: double && tensors,
        outputs,
        base: base ? [0.5, -0.25, 2, 1].slice(0, baseCount) : [],
        texts: { post_transform: [transform], ...(!classifier && { aggregate_function: [average ? 'AVERAGE' : 'SUM'] }) },
      });
    },
  );

interface Said {
  readonly ids: (tree: number) => readonly number[];
  readonly classifier: boolean;
  readonly double: boolean;
  readonly tensors: boolean;
  readonly outputs: number;
  readonly base: readonly number[];
  readonly texts: Forest['texts'];
}

function written(trees: readonly Node[], { ids, classifier, double, tensors, outputs, base, texts }: Said): Forest {
  const kind = classifier ? 'class' : 'target';
  const column = () => [] as number[];
  const integers = {
    nodes_treeids: column(),
    nodes_nodeids: column(),
    nodes_featureids: column(),
    nodes_truenodeids: column(),
    nodes_falsenodeids: column(),
    nodes_missing_value_tracks_true: column(),
    [`${kind}_treeids`]: column(),
    [`${kind}_nodeids`]: column(),
    [`${kind}_ids`]: column(),
  };
  const add = (name: string, value: number): number => (integers[name] ?? []).push(value);
  const modes: string[] = [];
  const values: number[] = [];
  const weights: number[] = [];
  for (const [tree, root] of trees.entries()) {
    let count = 0;
    const put = (node: Node): number => {
      const id = count++;
      const at = modes.length;
      const branch = 'leaf' in node ? undefined : node;
      modes.push(branch?.mode ?? 'LEAF');
      values.push(branch?.threshold ?? 0);
      for (const [name, value] of Object.entries({
        nodes_treeids: tree,
        nodes_nodeids: id,
        nodes_featureids: branch?.feature ?? 0,
        nodes_truenodeids: 0,
        nodes_falsenodeids: 0,
        nodes_missing_value_tracks_true: Number(branch?.missing ?? false),
      })) {
        add(name, value);
      }
      if ('leaf' in node) {
        for (const [i, output] of ids(tree).entries()) {
          for (const [name, value] of Object.entries({ treeids: tree, nodeids: id, ids: output }))
            add(`${kind}_${name}`, value);
          weights.push(node.leaf[i] ?? 0);
        }
      } else {
        integers.nodes_truenodeids[at] = put(node.yes);
        integers.nodes_falsenodeids[at] = put(node.no);
      }
      return id;
    };
    put(root);
  }
  const numbers = { nodes_values: values, [`${kind}_weights`]: weights, base_values: base };
  const renamed = Object.fromEntries(Object.entries(numbers).map(([name, list]) => [`${name}_as_tensor`, list]));
  return {
    operator: classifier ? 'TreeEnsembleClassifier' : 'TreeEnsembleRegressor',
    double,
    integers: {
      ...integers,
      [classifier ? 'classlabels_int64s' : 'n_targets']: classifier ? [...Array(outputs).keys()] : [outputs],
    },
    numbers: tensors ? {} : numbers,
    tensors: tensors ? renamed : {},
    texts: { ...texts, nodes_modes: modes },
  };
}

/** The numbers of `AttributeProto.AttributeType`. */
const TYPES = { number: 1, integer: 2, text: 3, tensor: 4, numbers: 6, integers: 7, texts: 8 };

/** A forest as a model file: features in, scores out. */
export function modelOf({ operator, double, integers, numbers, tensors, texts }: Forest): Buffer {
  const attribute = (name: string, type: number, ...content: Buffer[]) =>
    field(5, [field(1, name), ...content, field(20, type)]);
  const some = <T>(lists: Readonly<Record<string, readonly T[]>>) =>
    Object.entries(lists).filter(([, list]) => list.length > 0);
  const attributes = [
    ...some(integers).map(([name, list]) =>
      name === 'n_targets'
        ? attribute(name, TYPES.integer, field(3, list[0] ?? 0))
        : attribute(name, TYPES.integers, ...list.map((value) => field(8, value))),
    ),
    ...some(numbers).map(([name, list]) =>
      attribute(name, TYPES.numbers, field(7, Buffer.from(Float32Array.from(list).buffer))),
    ),
    ...some(tensors).map(([name, list]) =>
      attribute(
        name,
        TYPES.tensor,
        field(5, [field(1, list.length), field(2, DOUBLE), field(9, Buffer.from(Float64Array.from(list).buffer))]),
      ),
    ),
    ...some(texts).map(([name, list]) =>
      name === 'nodes_modes' || name === 'classlabels_strings'
        ? attribute(name, TYPES.texts, ...list.map((value) => field(9, value)))
        : attribute(name, TYPES.text, field(4, list[0] ?? '')),
    ),
  ];
  const outputs = operator === 'TreeEnsembleClassifier' ? ['label', 'scores'] : ['scores'];
  const node = [
    field(1, 'features'),
    ...outputs.map((name) => field(2, name)),
    field(3, 'trees'),
    field(4, operator),
    ...attributes,
    field(7, 'ai.onnx.ml'),
  ];
  const graph = [
    field(1, node),
    field(2, 'forest'),
    field(11, valueMessage('features', double ? DOUBLE : FLOAT, WIDTH)),
    field(12, valueMessage('scores', FLOAT)),
  ];
  return Buffer.concat([field(1, 8), field(7, graph), field(8, opsetMessage('ai.onnx.ml', 3)), field(8, opsetMessage('', 13))]);
}
