import { counted, grouped } from './counted.ts';
import type { ProviderText } from './provider.ts';

/** An execution provider that comes earlier in the preference list than the one in use, and why it was skipped. */
export interface Skipped {
  readonly provider: ProviderText;
  /** One sentence, with the command that installs what is missing. */
  readonly why: string;
}

/** Where the model ran. Part of the summary and of the ledger entry. */
export interface Execution {
  readonly provider: string;
  /** One session each; `cuda:1` is the second GPU. */
  readonly devices: readonly ProviderText[];
  /** Whether the device is a GPU. A software adapter of WebGPU is not. */
  readonly gpu: boolean;
  readonly onnxruntime: string;
  readonly skipped: readonly Skipped[];
  /** Nodes of the optimized graph, and how many of them run on cpu. Absent if the provider is cpu. */
  readonly nodes?: number;
  readonly nodes_on_cpu?: number;
  /** The bundle's golden rows on every device compared with cpu. Absent if the provider is cpu. */
  readonly canary?: { readonly rows: number; readonly largest_difference: number; readonly tolerance: number };
}

/** For people: the provider in use, then one line per provider that was skipped. */
export function showExecution(execution: Execution): string[] {
  const [serving = '', ...more] = showServing(execution);
  return [serving, ...execution.skipped.map(({ provider, why }) => `not ${provider}: ${why}`), ...more];
}

/**
 * The provider in use and the canary's result. Skipped providers are left to `check`: a machine without a GPU need not
 * repeat it in every summary.
 */
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
