import type { ProviderText } from './provider.ts';

/** An execution provider that was asked for before the one that served, and why it did not. */
export interface Skipped {
  readonly provider: ProviderText;
  /** One sentence, with the command that installs what is missing. */
  readonly why: string;
}

/** Where the model was run, and what is known of it; stands in the summary and in the ledger. */
export interface Execution {
  readonly provider: string;
  /** Each has a session of its own; `cuda:1` is the second GPU. */
  readonly devices: readonly ProviderText[];
  /** Whether the device is a GPU. A software adapter of WebGPU is none. */
  readonly gpu: boolean;
  readonly onnxruntime: string;
  readonly skipped: readonly Skipped[];
  /** Nodes of the optimized graph, and those of them that run on cpu; only where the provider is another one. */
  readonly nodes?: number;
  readonly nodes_on_cpu?: number;
  /** Golden rows of the bundle on every device beside the same on cpu; only where the provider is another one. */
  readonly canary?: { readonly rows: number; readonly largest_difference: number; readonly tolerance: number };
}

/** For people: what serves, and further lines for why nothing else does and what the canary found. */
export function showExecution({ provider, devices, gpu, onnxruntime, nodes, skipped, canary, ...more }: Execution): string[] {
  const several = devices.length > 1 || devices[0] !== provider ? ` (${devices.join(', ')})` : '';
  const software = gpu || provider === 'cpu' ? '' : ' on a software adapter';
  const shared = nodes === undefined || !more.nodes_on_cpu ? '' : `, ${more.nodes_on_cpu} of ${nodes} nodes on cpu`;
  const difference =
    canary && `${canary.rows.toLocaleString('en')} rows differ from cpu by ${canary.largest_difference.toExponential(1)}`;
  return [
    `${provider}${several}${software}, ONNX Runtime ${onnxruntime}${shared}`,
    ...skipped.map((other) => `not ${other.provider}: ${other.why}`),
    ...(difference === undefined ? [] : [`canary: ${difference} at most`]),
  ];
}
