import type { TensorInfo } from '../domain/model-metadata.ts';
import { PROVIDERS } from '../domain/provider.ts';
import { ScoreBatchError } from '../errors.ts';
import type { ModelBytes } from '../runtime/model-file.ts';
import { placeNodes } from '../runtime/placement.ts';
import type { PlacedNode } from '../runtime/profile.ts';
import { type InputTensor, openSession } from '../runtime/session.ts';

/** Copies between a device and memory are no nodes of the model. */
const COPY = /^Memcpy/;

const TREES = /^TreeEnsemble/;

/** What runs where with one provider. */
interface Placement {
  readonly provider: string;
  /** Nodes of the graph as the runtime fused it; undefined where it cannot be told. */
  readonly nodes?: number;
  /** Copies between the device and memory that the nodes on cpu ask for. */
  readonly copies?: number;
  /** Nodes that the provider leaves to cpu. */
  readonly on_cpu?: readonly Pick<PlacedNode, 'name' | 'operator'>[];
  /** Why that is so. */
  readonly why?: string;
}

/**
 * Which nodes run where, for the providers that are asked for or else for all.
 *
 * @param inputs rows that the model takes; it is run with them
 */
export async function placements(
  model: ModelBytes,
  asked: readonly string[] | undefined,
  inputs: readonly InputTensor[],
  outputs: readonly TensorInfo[],
): Promise<Placement[]> {
  const fetched = outputs.filter(({ dtype }) => dtype !== undefined).map(({ name }) => name);
  const found: Placement[] = [];
  // One after the other: of some providers a process can have one.
  for (const provider of asked ?? PROVIDERS) found.push(await placement(model, provider, inputs, fetched));
  return found;
}

async function placement(
  model: ModelBytes,
  provider: string,
  inputs: readonly InputTensor[],
  outputs: readonly string[],
): Promise<Placement> {
  let placed: PlacedNode[];
  try {
    // First as a run would, which says best what is missing.
    await (await openSession(model, { providers: [provider], requireGpu: false })).close();
    placed = await placeNodes(model, provider, inputs, outputs);
  } catch (cause) {
    if (!(cause instanceof ScoreBatchError)) throw cause;
    const [detail = cause.message] = cause.details;
    const prefix = `${provider}: `;
    // Else it is the rows that the model does not take, which are made up.
    return { provider, why: detail.startsWith(prefix) ? `cannot load here: ${detail.slice(prefix.length)}` : cause.message };
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

/** The same for people, a line or two per provider. */
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
          `trees     no GPU has a kernel for ${trees}; \`score-batch model tensorize\` writes trees as operations that GPUs run whole`,
        ]),
  ];
}

/** `TreeEnsembleClassifier, 3 Gather` */
function byOperator(nodes: readonly Pick<PlacedNode, 'operator'>[]): string {
  const counts = new Map<string, number>();
  for (const { operator } of nodes) counts.set(operator, (counts.get(operator) ?? 0) + 1);
  return [...counts].map(([operator, count]) => (count === 1 ? operator : `${count} ${operator}`)).join(', ');
}

/** What a file declares may be anything. */
const MAX_ZEROS = 1e7;

/** A row of zeros for inputs of which nothing more is known, as wide as they are declared. */
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
