import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseModel, serializeModel } from '../../src/onnx/model.ts';
import { seededRandom } from '../../src/random.ts';
import { tensorize } from '../../src/tensorize/tensorize.ts';
import { repository } from '../support/project.ts';
import { type Forest, forests, modelOf } from './forests.ts';

const TREES = repository('test', 'fixtures', 'trees');

/** Two splits of the first feature, three leaves. */
const FOREST: Forest = {
  operator: 'TreeEnsembleRegressor',
  double: false,
  integers: {
    nodes_treeids: [0, 0, 0, 0, 0],
    nodes_nodeids: [0, 1, 2, 3, 4],
    nodes_featureids: [0, 0, 0, 0, 0],
    nodes_truenodeids: [1, 3, 0, 0, 0],
    nodes_falsenodeids: [2, 4, 0, 0, 0],
    target_treeids: [0, 0, 0],
    target_nodeids: [2, 3, 4],
    target_ids: [0, 0, 0],
    n_targets: [1],
  },
  numbers: { nodes_values: [1, 2, 0, 0, 0], target_weights: [1, 2, 3] },
  tensors: {},
  texts: { nodes_modes: ['BRANCH_LEQ', 'BRANCH_LEQ', 'LEAF', 'LEAF', 'LEAF'] },
};

/** Scores come last. */
function rewrite(bytes: Buffer): Buffer {
  const model = parseModel(bytes);
  return serializeModel(tensorize(model, model.graph.outputs.at(-1)?.name ?? '').model);
}

/** A classifier of two classes with these weights of its three leaves. */
function classifier(class_ids: readonly number[], base_values: readonly number[] = []): Forest {
  const { target_treeids, target_nodeids, target_ids: _, n_targets: __, ...nodes } = FOREST.integers;
  return {
    ...FOREST,
    operator: 'TreeEnsembleClassifier',
    integers: { ...nodes, class_treeids: [0, 0, 0], class_nodeids: [2, 3, 4], class_ids, classlabels_int64s: [0, 1] },
    numbers: { nodes_values: [1, 2, 0, 0, 0], class_weights: [1, 2, 3], base_values },
  };
}

const integers = (changed: Forest['integers']): Forest => ({ ...FOREST, integers: { ...FOREST.integers, ...changed } });
const numbers = (changed: Forest['numbers']): Forest => ({ ...FOREST, numbers: { ...FOREST.numbers, ...changed } });
const texts = (changed: Forest['texts']): Forest => ({ ...FOREST, texts: { ...FOREST.texts, ...changed } });

describe('what no tree ensemble is, or none that can be written so, is refused', () => {
  it('and this one is not', () => expect(() => rewrite(modelOf(FOREST))).not.toThrow());

  it.each<[why: RegExp, forest: Forest]>([
    [/nodes_treeids has 4 entries instead of 5/, integers({ nodes_treeids: [0, 0, 0, 0] })],
    [/nodes_values has 0 entries/, numbers({ nodes_values: [] })],
    [/nodes_missing_value_tracks_true has 1 entries/, integers({ nodes_missing_value_tracks_true: [1] })],
    [/target_nodeids has 2 entries/, integers({ target_nodeids: [2, 3] })],
    [/target_weights has 2 entries/, numbers({ target_weights: [1, 2] })],
    [/no trees/, { ...FOREST, integers: { n_targets: [1] }, numbers: {}, texts: {} }],
    [/no target or class/, integers({ n_targets: [0] })],
    [/has a child 9 that does not exist/, integers({ nodes_truenodeids: [9, 3, 0, 0, 0] })],
    [/form a cycle/, integers({ nodes_truenodeids: [1, 0, 0, 0, 0] })],
    [/form a cycle/, integers({ nodes_truenodeids: [0, 3, 0, 0, 0] })],
    [/two nodes 1/, integers({ nodes_nodeids: [0, 1, 1, 3, 4] })],
    [/are not consecutive/, integers({ nodes_treeids: [0, 1, 0, 0, 0] })],
    [/compares feature 65536/, integers({ nodes_featureids: [2 ** 16, 0, 0, 0, 0] })],
    [/negative or too large/, integers({ nodes_nodeids: [0, 1, 2, 3, Number.MAX_SAFE_INTEGER * 4] })],
    [/compares with NaN/, numbers({ nodes_values: [Number.NaN, 2, 0, 0, 0] })],
    [/mode "BRANCH_MEMBER"/, texts({ nodes_modes: ['BRANCH_LEQ', 'BRANCH_MEMBER', 'LEAF', 'LEAF', 'LEAF'] })],
    [/mode "constructor"/, texts({ nodes_modes: ['BRANCH_LEQ', 'constructor', 'LEAF', 'LEAF', 'LEAF'] })],
    [/a weight is for node 7 of tree 0/, integers({ target_nodeids: [7, 3, 4] })],
    [/a weight is for output 1 of 1/, integers({ target_ids: [1, 0, 0] })],
    [/a leaf has two weights/, integers({ target_nodeids: [3, 3, 4] })],
    [/a leaf has no weight/, integers({ target_nodeids: [1, 3, 4] })],
    [/a weight is Infinity/, numbers({ target_weights: [Infinity, 2, 3] })],
    [/2 base values for 1 outputs/, numbers({ base_values: [1, 2] })],
    [/post_transform is "PROBIT"/, texts({ post_transform: ['PROBIT'] })],
    [/aggregate_function is "MIN"/, texts({ aggregate_function: ['MIN'] })],
    [/too many for one graph/, integers({ n_targets: [2 ** 40] })],
    [/is float64 and the input is not/, { ...FOREST, numbers: {}, tensors: { nodes_values_as_tensor: [1, 2, 0, 0, 0] } }],
    [/only some leaves have a weight for the second class/, classifier([0, 1, 0])],
    [/two base values for two classes/, classifier([0, 0, 0], [1, 2])],
  ])('%s', (why, forest) => {
    expect(() => rewrite(modelOf(forest))).toThrow(why);
  });

  it('a tree that is too deep for a graph, before there is one', () => {
    const chain = 600;
    const leaf = chain;
    const deep: Forest = {
      ...FOREST,
      integers: {
        ...FOREST.integers,
        nodes_treeids: Array<number>(chain + 1).fill(0),
        nodes_nodeids: [...Array(chain + 1).keys()],
        nodes_featureids: Array<number>(chain + 1).fill(0),
        nodes_truenodeids: [...Array(chain + 1).keys()].map((i) => Math.min(i + 1, leaf)),
        nodes_falsenodeids: Array<number>(chain + 1).fill(leaf),
        target_treeids: [0],
        target_nodeids: [leaf],
        target_ids: [0],
      },
      numbers: { nodes_values: Array<number>(chain + 1).fill(0), target_weights: [1] },
      texts: { nodes_modes: [...Array<string>(chain).fill('BRANCH_LEQ'), 'LEAF'] },
    };
    expect(() => rewrite(modelOf(deep))).toThrow(/more than 512 nodes deep/);
  });
});

/** What can be thrown at a caller: for people, or for the reader of a file. */
function outcomeOf(bytes: Buffer): 'written' | 'refused' {
  try {
    rewrite(bytes);
    return 'written';
  } catch (error) {
    if (error instanceof RangeError || (error as Error).name === 'ScoreBatchError') return 'refused';
    throw error;
  }
}

it('any change of an attribute is refused or written, and ends', () => {
  const changes = fc.record({
    pick: fc.nat(),
    at: fc.nat(),
    value: fc.oneof(fc.nat(12), fc.constantFrom(2 ** 31, 2 ** 40, Number.MAX_SAFE_INTEGER)),
    remove: fc.boolean(),
  });
  let refused = 0;
  const property = fc.property(forests, fc.array(changes, { minLength: 1, maxLength: 3 }), (forest, all) => {
    const lists = Object.fromEntries(Object.entries(forest.integers).map(([name, list]) => [name, [...list]]));
    for (const { pick, at, value, remove } of all) {
      const list = Object.values(lists)[pick % Object.keys(lists).length] ?? [];
      if (remove) list.splice(at % (list.length + 1), 1);
      else if (list.length > 0) list[at % list.length] = value;
    }
    if (outcomeOf(modelOf({ ...forest, integers: lists })) === 'refused') refused += 1;
  });
  fc.assert(property, { numRuns: 1000 });
  expect(refused).toBeGreaterThan(200);
});

it('any change of bytes is refused or written, and ends', () => {
  const random = seededRandom(6);
  const below = (n: number): number => Math.floor(random() * n);
  const files = readdirSync(TREES).map((name) => readFileSync(path.join(TREES, name, 'model.onnx')));
  const outcomes = { written: 0, refused: 0 };
  for (let i = 0; i < 2000; i += 1) {
    const bytes = Buffer.from(files[below(files.length)] ?? []);
    for (let edits = 1 + below(4); edits > 0; edits -= 1) {
      const at = below(bytes.length);
      if (random() < 0.1) Buffer.from([255, 255, 255, 255, 7]).copy(bytes, at);
      else bytes[at] = random() < 0.5 ? (bytes[at] ?? 0) ^ (1 << below(8)) : below(256);
    }
    outcomes[outcomeOf(random() < 0.1 ? bytes.subarray(0, below(bytes.length)) : bytes)] += 1;
  }
  expect(Math.min(outcomes.refused, outcomes.written)).toBeGreaterThan(200);
});
