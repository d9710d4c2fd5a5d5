import { counted } from '../domain/counted.ts';
import './telemetry.ts';
import { env, InferenceSession, Tensor } from 'onnxruntime-node';
import type { Skipped } from '../domain/execution.ts';
import type { ModelMetadata, TensorInfo } from '../domain/model-metadata.ts';
import { type ProviderText, parseProvider } from '../domain/provider.ts';
import type { Signature } from '../domain/signature.ts';
import { ScoreBatchError } from '../errors.ts';
import { holdsGpu } from './adapter.ts';
import { isOutOfMemory, loadError, noProvider, refusesCpuNodes, runError } from './errors.ts';
import { executionProviders } from './execution-providers.ts';
import { missing, notLoaded } from './missing.ts';
import { checkedFacts, type ModelBytes, type ModelFile, readModel } from './model-file.ts';

// Said by the runtime's own environment, not by a session: a provider that cannot load is in our own words already.
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

export interface SessionOptions {
  /** Execution providers in the order in which they are tried. */
  readonly providers: readonly ProviderText[];
  /** Refuse cpu, a software adapter, and a provider that would leave single nodes to cpu. */
  readonly requireGpu: boolean;
}

/** A loaded model on one execution provider; belongs to the thread that opened it. */
export interface Session {
  readonly provider: ProviderText;
  /** Whether it is on a GPU, as far as can be told. */
  readonly gpu: boolean;
  readonly metadata: ModelMetadata;
  /** Version of ONNX Runtime. */
  readonly version: string;
  /**
   * Runs the model and returns the one output that was asked for. Blocks the thread for the whole run.
   *
   * @throws ScoreBatchError `configuration` where the output is narrower than the index, which the file may not declare;
   *   `unavailable` where the device failed
   */
  run(inputs: readonly InputTensor[], output: Signature['output']): Promise<OutputValues>;
  close(): Promise<void>;
}

/** Why a provider does not serve. */
interface Refusal extends Skipped {
  /** Whether it is for the nodes that would run on cpu. */
  readonly forNodes: boolean;
}

/**
 * Loads a model on the first provider that serves. They are tried one by one, because ONNX Runtime refuses a whole list when
 * its first provider cannot load.
 *
 * @throws ScoreBatchError `configuration` as `loadModel`, or where no provider serves
 */
export async function openSession(file: ModelFile, { providers, requireGpu }: SessionOptions): Promise<Session> {
  const model = await loadModel(file);
  const skipped: Skipped[] = [];
  for (const provider of providers) {
    const tried = await trySession(model, provider, requireGpu);
    if (!('why' in tried)) return tried;
    skipped.push(tried);
  }
  throw noProvider(model.file, skipped, requireGpu);
}

/**
 * The bytes that are loaded are those of the digest, whatever became of the file.
 *
 * @throws ScoreBatchError `configuration` where the file is no model for this runtime, or another one than it was
 */
export async function loadModel({ file, digest }: ModelFile): Promise<ModelBytes> {
  const model = await readModel(file);
  if (model.digest !== digest) {
    throw new ScoreBatchError('configuration', `${file} was changed after it was checked`, {
      hint: 'a run scores with one model: start again when the file is as it should be',
    });
  }
  checkedFacts(model);
  return model;
}

/** @throws ScoreBatchError `configuration` where it is the model's fault that no session can be made of it */
export async function trySession(
  { file, bytes }: ModelBytes,
  provider: ProviderText,
  requireGpu: boolean,
): Promise<Session | Refusal> {
  const { name } = parseProvider(provider);
  const refused = (why: string, forNodes = false): Refusal => ({ provider, why, forNodes });
  if (requireGpu && name === 'cpu') return refused('refused, a GPU is required');
  const lacks = missing(name, process.env);
  if (lacks !== undefined) return refused(lacks);
  let session: Session;
  try {
    session = wrap(await create(bytes, provider, requireGpu), provider);
  } catch (cause) {
    if (refusesCpuNodes(cause)) return refused('some nodes would run on cpu, and a GPU is required for all of them', true);
    const atFault = loadError(file, cause, name);
    if (atFault) throw atFault;
    if (isOutOfMemory(cause)) return refused('it has no memory for this model: end what else uses it (see `nvidia-smi`)');
    return refused(notLoaded(name, cause instanceof Error ? cause.message : String(cause)));
  }
  if (!requireGpu || session.gpu) return session;
  await session.close();
  return refused('there is only a software adapter, which counts as cpu, and a GPU is required');
}

function create(bytes: Uint8Array, provider: ProviderText, requireGpu: boolean): Promise<InferenceSession> {
  return InferenceSession.create(bytes, {
    executionProviders: executionProviders(provider),
    // Chunk workers are the parallelism: a pool of threads inside each session would compete with them (and is slower).
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    // Fatal only: what fails is thrown, and the runtime would print the same to stderr in colour.
    logSeverityLevel: 4,
    extra: {
      session: {
        load_model_format: 'ONNX',
        // A node that the provider lacks falls back to cpu without a word unless it is told not to.
        ...(requireGpu && { disable_cpu_ep_fallback: '1' }),
      },
    },
  });
}

function wrap(session: InferenceSession, provider: ProviderText): Session {
  const { name: kind } = parseProvider(provider);
  return {
    provider,
    gpu: kind !== 'cpu' && (kind !== 'webgpu' || holdsGpu()),
    metadata: { inputs: session.inputMetadata.map(tensorInfo), outputs: session.outputMetadata.map(tensorInfo) },
    version: env.versions.node ?? 'unknown',
    async run(inputs, { name, index }) {
      const feeds = Object.fromEntries(inputs.map((input) => [input.name, new Tensor(input.dtype, input.values, input.shape)]));
      const rows = inputs[0]?.shape[0] ?? 0;
      const result = await session.run(feeds, [name]).catch((cause: unknown) => {
        throw runError(provider, rows, cause);
      });
      const { data, dims } = result[name] as Tensor;
      const width = dims.length < 2 ? 1 : Number(dims[1]);
      if (!(data instanceof Float32Array || data instanceof Float64Array) || index >= width || data.length !== rows * width) {
        throw new ScoreBatchError(
          'configuration',
          `the output ${name} gave [${dims.join(', ')}] for ${counted(rows, 'row')}, where element ${index} of each row is the score`,
          {
            hint: 'set output in model.yaml to the name and the index of the score, counted from 0',
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
