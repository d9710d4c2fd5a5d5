import type { Attributes } from '../onnx/attributes.ts';
import { refusal } from './refusal.ts';

/** Per node, the position of the next node for each result of comparing the feature with the threshold. A leaf has its own. */
export interface Branches {
  readonly less: Int32Array;
  readonly equal: Int32Array;
  readonly greater: Int32Array;
  /** For NaN, for which only "not equal" is true. */
  readonly missing: Int32Array;
}

/** The nodes of all trees of an ensemble, in the order of the file. */
export interface TreeNodes {
  /** Position of a node by the id of its tree and its own id. */
  readonly positions: ReadonlyMap<number, ReadonlyMap<number, number>>;
  /** The feature that each node compares; 0 in a leaf. */
  readonly features: Int32Array;
  /** Thresholds, in the precision of the model's input; 0 in a leaf. */
  readonly thresholds: Float32Array | Float64Array;
  readonly branches: Branches;
  readonly trees: readonly Tree[];
}

export interface Tree {
  /** Position of the root. */
  readonly root: number;
  /** Number of comparisons after which every row is at a leaf. */
  readonly depth: number;
  /** Positions of the leaves. */
  readonly leaves: readonly number[];
}

/** Results that a mode sends to the true branch: https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsembleRegressor.html */
const MODES: Readonly<Record<string, readonly (keyof Branches)[]>> = {
  BRANCH_LEQ: ['less', 'equal'],
  BRANCH_LT: ['less'],
  BRANCH_GTE: ['equal', 'greater'],
  BRANCH_GT: ['greater'],
  BRANCH_EQ: ['equal'],
  BRANCH_NEQ: ['less', 'greater', 'missing'],
};

const LEAF = 'LEAF';

/** Far more than the columns of any table. */
const MAX_FEATURES = 2 ** 16;

/** Each level becomes half a dozen operations of the new graph. */
const MAX_DEPTH = 512;

/**
 * Reads and validates the nodes: refuses lengths that disagree, missing children and cycles.
 *
 * @param thresholdsOf returns the numbers of an attribute, or of its tensor
 * @throws ScoreBatchError `configuration`; RangeError if the bytes are not a node
 */
export function readNodes(attributes: Attributes, thresholdsOf: (name: string) => Float32Array | Float64Array): TreeNodes {
  const modes = attributes.texts('nodes_modes');
  const column = (name: string): readonly number[] => sameLength(name, attributes.integers(name), modes.length);
  const treeIds = column('nodes_treeids');
  const nodeIds = column('nodes_nodeids');
  const featureIds = column('nodes_featureids');
  const trueIds = column('nodes_truenodeids');
  const falseIds = column('nodes_falsenodeids');
  const thresholds = sameLength('nodes_values', thresholdsOf('nodes_values'), modes.length).slice();
  const tracks = attributes.integers('nodes_missing_value_tracks_true');
  if (tracks.length > 0) sameLength('nodes_missing_value_tracks_true', tracks, modes.length);

  const positions = positionsOf(treeIds, nodeIds);
  const own = (): Int32Array => Int32Array.from(modes, (_, i) => i);
  const features = new Int32Array(modes.length);
  const branches = { less: own(), equal: own(), greater: own(), missing: own() };
  const children = new Map<number, readonly [whenTrue: number, whenFalse: number]>();
  for (const [i, name] of modes.entries()) {
    if (name === LEAF) {
      thresholds[i] = 0;
      continue;
    }
    const node = `node ${nodeIds[i]} of tree ${treeIds[i]}`;
    const mode = Object.hasOwn(MODES, name) ? MODES[name] : undefined;
    if (mode === undefined) throw refusal(`${node} has the unknown mode ${JSON.stringify(name.slice(0, 40))}`);
    const feature = featureIds[i] ?? 0;
    if (feature >= MAX_FEATURES) throw refusal(`${node} compares feature ${feature}, which is out of range`);
    if (Number.isNaN(thresholds[i])) throw refusal(`${node} compares with NaN`);
    features[i] = feature;
    const child = (id: number | undefined): number => {
      const found = positions.get(treeIds[i] ?? 0)?.get(id ?? 0);
      if (found === undefined) throw refusal(`${node} has a child ${id} that does not exist`);
      return found;
    };
    const [whenTrue, whenFalse] = [child(trueIds[i]), child(falseIds[i])];
    children.set(i, [whenTrue, whenFalse]);
    for (const branch of ['less', 'equal', 'greater', 'missing'] as const) {
      branches[branch][i] = mode.includes(branch) || (branch === 'missing' && tracks[i] === 1) ? whenTrue : whenFalse;
    }
  }
  const trees = [...positions].map(([id, nodes]) => walkTree(id, nodes.values().next().value ?? 0, children));
  return { positions, features, thresholds, branches, trees };
}

/** @throws ScoreBatchError if the attribute does not have `length` entries */
export function sameLength<T extends { readonly length: number }>(name: string, values: T, length: number): T {
  if (values.length === length) return values;
  throw refusal(`${name} has ${values.length} entries instead of ${length}`);
}

/** Trees in the order of the file. As in runtimes, the first node of each is its root. */
function positionsOf(treeIds: readonly number[], nodeIds: readonly number[]): Map<number, Map<number, number>> {
  const trees = new Map<number, Map<number, number>>();
  for (const [i, tree] of treeIds.entries()) {
    const nodes = trees.get(tree) ?? new Map<number, number>();
    if (nodes.size > 0 && treeIds[i - 1] !== tree) throw refusal(`the nodes of tree ${tree} are not consecutive`);
    const id = nodeIds[i] ?? 0;
    if (nodes.has(id)) throw refusal(`tree ${tree} has two nodes ${id}`);
    trees.set(tree, nodes.set(id, i));
  }
  return trees;
}

/** Exporters may share subtrees, so a tree is a graph. A cycle would never end. */
function walkTree(id: number, root: number, children: ReadonlyMap<number, readonly [number, number]>): Tree {
  const leaves: number[] = [];
  // The longest path to a leaf, for nodes whose subtree is complete.
  const heights = new Map<number, number>();
  const open = new Set<number>();
  const trail = [root];
  for (let node = trail.at(-1); node !== undefined; node = trail.at(-1)) {
    const pair = children.get(node) ?? [];
    if (heights.has(node)) {
      trail.pop();
    } else if (open.has(node) || pair.length === 0) {
      heights.set(node, pair.length === 0 ? 0 : 1 + Math.max(...pair.map((child) => heights.get(child) ?? 0)));
      if (pair.length === 0) leaves.push(node);
      open.delete(node);
      trail.pop();
    } else {
      open.add(node);
      for (const child of pair) {
        if (open.has(child)) throw refusal(`the nodes of tree ${id} form a cycle`);
        trail.push(child);
      }
      if (open.size > MAX_DEPTH) throw refusal(`tree ${id} is more than ${MAX_DEPTH} nodes deep`);
    }
  }
  return { root, depth: heights.get(root) ?? 0, leaves };
}
