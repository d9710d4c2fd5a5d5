import { counted } from '../domain/counted.ts';
import './telemetry.ts';
import { env, InferenceSession, Tensor } from 'onnxruntime-node';
import type { Skipped } from '../domain/execution.ts';
import type { ModelMetadata, TensorInfo } from '../domain/model-metadata.ts';
import { type ProviderText, parseProvider } from '../domain/provider.ts';
import type { Signature } from '../domain/signature.ts';
import { ScoreBatchError } from '../errors.ts';
import { holdsGpu } from './adapter.ts';
import { isCpuFallbackRefusal, isOutOfMemory, loadError, noProviderError, runError } from './errors.ts';
import { executionProviders } from './execution-providers.ts';
import { loadFailureReason, missingRequirement } from './missing.ts';
import { checkedFacts, type ModelBytes, type ModelFile, readModel } from './model-file.ts';

// The runtime's environment logs a provider that cannot load, whatever a session's log level. Our own error already reports it.
env.logLevel = 'fatal';

/** Values of one input tensor, row-major. */
type TensorValues = Float32Array | Float64Array | BigInt64Array | Uint8Array | string[];

export interface InputTensor {
  readonly name: string;
  readonly dtype: 'float32' | 'float64' | 'int64' | 'bool' | 'string';
  readonly values: TensorValues;
  readonly shape: readonly number[];
}

/** One output: the score of row i is at `i * width + index`. */
export interface OutputValues {
  readonly values: Float32Array | Float64Array;
  readonly width: number;
}

/** A whole output of the model, row-major. */
export interface OutputTensor {
  readonly values: Float32Array | Float64Array | BigInt64Array | Int32Array | Uint8Array | readonly string[];
  readonly shape: readonly number[];
}

export interface SessionOptions {
  /** Execution providers, in the order to try them. */
  readonly providers: readonly ProviderText[];
  /** Refuse cpu, software adapters, and any provider that would leave nodes to cpu. */
  readonly requireGpu: boolean;
}

/** A model loaded on one execution provider. It belongs to the thread that opened it. */
export interface Session {
  readonly provider: ProviderText;
  /** Whether it runs on a GPU; see `holdsGpu` for WebGPU. */
  readonly gpu: boolean;
  readonly metadata: ModelMetadata;
  /** Version of ONNX Runtime. */
  readonly version: string;
  /**
   * Runs the model and returns the requested output. Blocks the thread for the whole run.
   *
   * @throws ScoreBatchError `configuration` if the output has no element at the index (the file may not declare its width);
   *   `unavailable` if the device failed
   */
  run(inputs: readonly InputTensor[], output: Signature['output']): Promise<OutputValues>;
  /**
   * Runs the model once and returns the named outputs, in that order. Blocks the thread for the whole run.
   *
   * @throws ScoreBatchError as `run`
   */
  runOutputs(inputs: readonly InputTensor[], names: readonly string[]): Promise<readonly OutputTensor[]>;
  close(): Promise<void>;
}

/** Why a provider cannot run the model. */
interface Refusal extends Skipped {
  /** Whether the reason is that some nodes would run on cpu. */
  readonly forNodes: boolean;
}

/**
 * Loads a model on the first provider that can run it. Tries them one by one, because ONNX Runtime refuses the whole list if
 * its first provider cannot load.
 *
 * @throws ScoreBatchError `configuration` as `loadModel`, or if no provider can run it
 */
export async function openSession(file: ModelFile, { providers, requireGpu }: SessionOptions): Promise<Session> {
  const model = await loadModel(file);
  const skipped: Skipped[] = [];
  for (const provider of providers) {
    const tried = await trySession(model, provider, requireGpu);
    if (!('why' in tried)) return tried;
    skipped.push(tried);
  }
  throw noProviderError(model.file, skipped, requireGpu);
}

/**
 * Reads the model and checks that its bytes still have the digest.
 *
 * @throws ScoreBatchError `configuration` if this runtime cannot load the file, or it changed
 */
export async function loadModel({ file, digest }: ModelFile): Promise<ModelBytes> {
  const model = await readModel(file);
  if (model.digest !== digest) {
    throw new ScoreBatchError('configuration', `${file} changed after it was checked`, {
      hint: 'a run uses a single model: run the same command again once the file is final',
    });
  }
  checkedFacts(model);
  return model;
}

/** @throws ScoreBatchError `configuration` if the session cannot be created because of the model */
export async function trySession(
  { file, bytes }: ModelBytes,
  provider: ProviderText,
  requireGpu: boolean,
): Promise<Session | Refusal> {
  const { name } = parseProvider(provider);
  const refused = (why: string, forNodes = false): Refusal => ({ provider, why, forNodes });
  if (requireGpu && name === 'cpu') return refused('refused, a GPU is required');
  const missing = missingRequirement(name, process.env);
  if (missing !== undefined) return refused(missing);
  let session: Session;
  try {
    session = wrap(await create(bytes, provider, requireGpu), provider);
  } catch (cause) {
    if (isCpuFallbackRefusal(cause))
      return refused('some nodes would run on cpu, and --require-gpu needs all on the GPU', true);
    const modelError = loadError(file, cause, name);
    if (modelError) throw modelError;
    if (isOutOfMemory(cause))
      return refused('too little memory for this model: stop other programs that use the device (see `nvidia-smi`)');
    return refused(loadFailureReason(name, cause instanceof Error ? cause.message : String(cause)));
  }
  if (!requireGpu || session.gpu) return session;
  await session.close();
  return refused('only a software adapter is available; it counts as cpu, and a GPU is required');
}

function create(bytes: Uint8Array, provider: ProviderText, requireGpu: boolean): Promise<InferenceSession> {
  return InferenceSession.create(bytes, {
    executionProviders: executionProviders(provider),
    // Chunk workers provide the parallelism. A thread pool in each session would compete with them, and is slower.
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    // Fatal only: failures are thrown, and the runtime would also print them to stderr in colour.
    logSeverityLevel: 4,
    extra: {
      session: {
        load_model_format: 'ONNX',
        // Without this, nodes that the provider lacks silently fall back to cpu.
        ...(requireGpu && { disable_cpu_ep_fallback: '1' }),
      },
    },
  });
}

function wrap(session: InferenceSession, provider: ProviderText): Session {
  const { name: kind } = parseProvider(provider);
  const runOutputs: Session['runOutputs'] = async (inputs, names) => {
    const feeds = Object.fromEntries(inputs.map((input) => [input.name, new Tensor(input.dtype, input.values, input.shape)]));
    const result = await session.run(feeds, names).catch((cause: unknown) => {
      throw runError(provider, inputs[0]?.shape[0] ?? 0, cause);
    });
    return names.map((name) => {
      const { data, dims } = result[name] as Tensor;
      return { values: data as OutputTensor['values'], shape: dims };
    });
  };
  return {
    provider,
    runOutputs,
    gpu: kind !== 'cpu' && (kind !== 'webgpu' || holdsGpu()),
    metadata: { inputs: session.inputMetadata.map(tensorInfo), outputs: session.outputMetadata.map(tensorInfo) },
    version: env.versions.node ?? 'unknown',
    async run(inputs, { name, index }) {
      const rows = inputs[0]?.shape[0] ?? 0;
      const [{ values: data, shape: dims } = { values: [], shape: [] }] = await runOutputs(inputs, [name]);
      const width = dims.length < 2 ? 1 : Number(dims[1]);
      if (!(data instanceof Float32Array || data instanceof Float64Array) || index >= width || data.length !== rows * width) {
        throw new ScoreBatchError(
          'configuration',
          `the output ${name} has shape [${dims.join(', ')}] for ${counted(rows, 'row')}, but the score should be element ${index} of each row`,
          {
            hint: 'set output in model.yaml to the name and index of the score, counted from 0',
          },
        );
      }
      return { values: data, width };
    },
    close: () => session.release(),
  };
}

function tensorInfo(value: InferenceSession.ValueMetadata): TensorInfo {
  return value.isTensor
    ? { name: value.name, dtype: value.type, shape: value.shape }
    : { name: value.name, dtype: undefined, shape: [] };
}
