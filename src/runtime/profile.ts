/** A node of the graph as it ran, after the runtime's fusions, and where it ran. */
export interface PlacedNode {
  /** The node's name in the file, or one that the runtime assigned. */
  readonly name: string;
  /** Operator, such as `Gemm`; the runtime's own for fused nodes (`FusedGemm`) and copies (`MemcpyToHost`). */
  readonly operator: string;
  /** Execution provider as in `score.providers`: `cpu`, `webgpu`, `cuda`, … */
  readonly provider: string;
}

interface ProfileEvent {
  readonly cat?: unknown;
  readonly name?: unknown;
  readonly args?: { readonly op_name?: unknown; readonly provider?: unknown; readonly node_index?: unknown };
}

const KERNEL = '_kernel_time';

/**
 * The nodes in an ONNX Runtime profile, in the order of their first run. A node that ran several times, as in a loop, appears
 * once.
 *
 * @param text the trace file of `endProfiling`: JSON in Chrome's trace event format
 * @throws SyntaxError if the text is not such a trace
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
