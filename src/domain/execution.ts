import { counted, grouped } from './counted.ts';
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

/** For people: what serves, with a line for each provider that was asked for before it and does not. */
export function showExecution(execution: Execution): string[] {
  const [serving = '', ...more] = showServing(execution);
  return [serving, ...execution.skipped.map(({ provider, why }) => `not ${provider}: ${why}`), ...more];
}

/** What serves, and what the canary found. Why nothing else does is told by `check`: a machine without a GPU need not say so in every report. */
export function showServing({ provider, devices, gpu, onnxruntime, nodes, canary, ...more }: Execution): string[] {
  const several = devices.length > 1 || devices[0] !== provider ? ` (${devices.join(', ')})` : '';
  const software = gpu || provider === 'cpu' ? '' : ' on a software adapter';
  const shared =
    nodes === undefined || !more.nodes_on_cpu ? '' : `, ${grouped(more.nodes_on_cpu)} of ${counted(nodes, 'node')} on cpu`;
  const difference =
    canary && `${counted(canary.rows, 'row differs', 'rows differ')} from cpu by ${canary.largest_difference.toExponential(1)}`;
  return [
    `${provider}${several}${software}, ONNX Runtime ${onnxruntime}${shared}`,
    ...(difference === undefined ? [] : [`canary: ${difference} at most`]),
  ];
}
