/** A node of the graph that was run, after the runtime's own fusions, and where it ran. */
export interface PlacedNode {
  /** The node's name in the file, or one that the runtime gave. */
  readonly name: string;
  /** Operator, such as `Gemm`; of a fused node the runtime's own, such as `FusedGemm`, and `MemcpyToHost` of a copy. */
  readonly operator: string;
  /** Execution provider as it stands in `score.providers`: `cpu`, `webgpu`, `cuda`, … */
  readonly provider: string;
}

interface ProfileEvent {
  readonly cat?: unknown;
  readonly name?: unknown;
  readonly args?: { readonly op_name?: unknown; readonly provider?: unknown; readonly node_index?: unknown };
}

const KERNEL = '_kernel_time';

/**
 * The nodes of a profile of ONNX Runtime, in the order in which they ran first; a node that ran several times, as in a loop, is
 * there once.
 *
 * @param text the trace file of `endProfiling`, JSON in the form of Chrome's trace events
 * @throws SyntaxError where the text is no such trace
 */
export function placedNodes(text: string): PlacedNode[] {
  const events = JSON.parse(text) as unknown;
  if (!Array.isArray(events)) throw new SyntaxError('a profile is a list of events');
  const nodes = new Map<string, PlacedNode>();
  for (const { cat, name, args } of events as readonly ProfileEvent[]) {
    if (cat !== 'Node' || typeof name !== 'string' || !name.endsWith(KERNEL)) continue;
    const node = {
      name: name.slice(0, -KERNEL.length),
      operator: String(args?.op_name),
      provider: shortName(String(args?.provider)),
    };
    const key = JSON.stringify([args?.node_index, node]);
    if (!nodes.has(key)) nodes.set(key, node);
  }
  return [...nodes.values()];
}

/** `CPUExecutionProvider` → `cpu`, `WebGpuExecutionProvider` → `webgpu` */
function shortName(provider: string): string {
  return provider.replace(/ExecutionProvider$/, '').toLowerCase();
}
