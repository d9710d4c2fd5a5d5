import type { TensorInfo } from '../domain/model-metadata.ts';
import { PROVIDERS } from '../domain/provider.ts';
import { ScoreBatchError } from '../errors.ts';
import type { ModelBytes } from '../runtime/model-file.ts';
import { placeNodes } from '../runtime/placement.ts';
import type { PlacedNode } from '../runtime/profile.ts';
import { type InputTensor, openSession } from '../runtime/session.ts';

/** The runtime's copies between a device and memory, which are not nodes of the model. */
const COPY = /^Memcpy/;

const TREES = /^TreeEnsemble/;

/** Where the nodes of a model run with one provider. */
interface Placement {
  readonly provider: string;
  /** Number of nodes of the graph after the runtime's fusions; undefined if the model did not run. */
  readonly nodes?: number;
  /** Copies between the device and memory that nodes on cpu cause. */
  readonly copies?: number;
  /** Nodes that the provider leaves to cpu. */
  readonly on_cpu?: readonly Pick<PlacedNode, 'name' | 'operator'>[];
  /** Why the model did not run. */
  readonly why?: string;
}

/**
 * Finds which nodes run where, for the given providers or for all.
 *
 * @param inputs rows that the model accepts; it runs on them
 */
export async function findPlacements(
  model: ModelBytes,
  providers: readonly string[] | undefined,
  inputs: readonly InputTensor[],
  outputs: readonly TensorInfo[],
): Promise<Placement[]> {
  const fetched = outputs.filter(({ dtype }) => dtype !== undefined).map(({ name }) => name);
  const found: Placement[] = [];
  // One at a time: some providers allow a single session per process.
  for (const provider of providers ?? PROVIDERS) found.push(await findPlacement(model, provider, inputs, fetched));
  return found;
}

async function findPlacement(
  model: ModelBytes,
  provider: string,
  inputs: readonly InputTensor[],
  outputs: readonly string[],
): Promise<Placement> {
  let placed: PlacedNode[];
  try {
    // First open it as a run does: its errors explain best what is missing.
    await (await openSession(model, { providers: [provider], requireGpu: false })).close();
    placed = await placeNodes(model, provider, inputs, outputs);
  } catch (cause) {
    if (!(cause instanceof ScoreBatchError)) throw cause;
    const [detail = cause.message] = cause.details;
    const prefix = `${provider}: `;
    // Otherwise the model refused the rows, which may be made up.
    return { provider, why: detail.startsWith(prefix) ? `cannot load: ${detail.slice(prefix.length)}` : cause.message };
  }
  const nodes = placed.filter(({ operator }) => !COPY.test(operator));
  return {
    provider,
    nodes: nodes.length,
    copies: placed.length - nodes.length,
    on_cpu: nodes
      .filter((node) => node.provider === 'cpu' && provider !== 'cpu')
      .map(({ name, operator }) => ({ name, operator })),
  };
}

/** Formats placements as text, with a line per provider. */
export function showPlacements(found: readonly Placement[], operators: ReadonlySet<string>): string[] {
  const trees = [...operators].map((name) => name.slice(name.indexOf(':') + 1)).find((name) => TREES.test(name));
  return [
    ...found.flatMap(({ provider, nodes = 0, on_cpu = [], why }) => {
      if (why !== undefined) return [`nodes     ${provider}: ${why}`];
      if (provider !== 'cpu' && on_cpu.length > 0) {
        return [`nodes     ${provider}: ${nodes - on_cpu.length} of ${nodes}, the others on cpu: ${byOperator(on_cpu)}`];
      }
      return [`nodes     ${provider}: all ${nodes}`];
    }),
    ...(trees === undefined
      ? []
      : [
          `trees     no GPU has a kernel for ${trees}; \`score-batch model tensorize\` rewrites trees as operations that GPUs can run`,
        ]),
  ];
}

/** `TreeEnsembleClassifier, 3 Gather` */
function byOperator(nodes: readonly Pick<PlacedNode, 'operator'>[]): string {
  const counts = new Map<string, number>();
  for (const { operator } of nodes) counts.set(operator, (counts.get(operator) ?? 0) + 1);
  return [...counts].map(([operator, count]) => (count === 1 ? operator : `${count} ${operator}`)).join(', ');
}

/** A limit, because an untrusted file may declare any shape. */
const MAX_ZEROS = 1e7;

/** A row of zeros for each input, in its declared shape. */
export function zeroInputs(inputs: readonly TensorInfo[]): InputTensor[] {
  return inputs.flatMap(({ name, dtype, shape: declared }): InputTensor[] => {
    const wanted = declared.map((size) => (typeof size === 'number' && size > 0 ? size : 1));
    const shape = product(wanted) <= MAX_ZEROS ? wanted : wanted.map(() => 1);
    const count = product(shape);
    switch (dtype) {
      case 'float32':
        return [{ name, dtype, values: new Float32Array(count), shape }];
      case 'float64':
        return [{ name, dtype, values: new Float64Array(count), shape }];
      case 'int64':
        return [{ name, dtype, values: new BigInt64Array(count), shape }];
      case 'bool':
        return [{ name, dtype, values: new Uint8Array(count), shape }];
      case 'string':
        return [{ name, dtype, values: new Array<string>(count).fill(''), shape }];
      default:
        return [];
    }
  });
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((all, size) => all * size, 1);
}
