import './telemetry.ts';
import { env, InferenceSession, Tensor } from 'onnxruntime-node';
import type { ModelMetadata, TensorInfo } from '../domain/model-metadata.ts';
import type { Signature } from '../domain/signature.ts';
import { ScoreBatchError } from '../errors.ts';
import { loadError } from './errors.ts';
import { checkedFacts, type ModelFile, readModel } from './model-file.ts';

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

export interface SessionOptions {
  /** Execution providers in the order in which they are tried. */
  readonly providers: readonly string[];
  /** Refuse cpu, and refuse a provider that would leave single nodes to cpu. */
  readonly requireGpu: boolean;
}

/** A loaded model on one execution provider; belongs to the thread that opened it. */
export interface Session {
  readonly provider: string;
  readonly metadata: ModelMetadata;
  /** Version of ONNX Runtime. */
  readonly version: string;
  /**
   * Runs the model and returns the one output that was asked for, with the score of row i at `i * width + index`. Blocks the
   * thread for the whole run.
   *
   * @throws ScoreBatchError `configuration` where the output is narrower than the index; the file may not declare its width
   */
  run(
    inputs: readonly InputTensor[],
    output: Signature['output'],
  ): Promise<{ values: Float32Array | Float64Array; width: number }>;
  close(): Promise<void>;
}

/**
 * Loads a model on the first provider that serves. They are tried one by one, because ONNX Runtime refuses a whole list when
 * its first provider cannot load. The bytes that are loaded are those of the digest, whatever became of the file.
 *
 * @throws ScoreBatchError `configuration` where the file is no model for this runtime or another one than it was, or no
 *   provider serves.
 */
export async function openSession({ file, digest }: ModelFile, { providers, requireGpu }: SessionOptions): Promise<Session> {
  const model = await readModel(file);
  if (model.digest !== digest) {
    throw new ScoreBatchError('configuration', `${file} was changed after it was checked`, {
      hint: 'a run scores with one model: start again when the file is as it should be',
    });
  }
  checkedFacts(model);
  const failures: string[] = [];
  for (const provider of providers) {
    if (requireGpu && provider === 'cpu') {
      failures.push('cpu: refused, a GPU is required');
      continue;
    }
    try {
      return wrap(await create(model.bytes, provider, requireGpu), provider);
    } catch (cause) {
      const refused = loadError(file, cause, provider);
      if (refused) throw refused;
      failures.push(`${provider}: ${firstLine(cause)}`);
    }
  }
  throw new ScoreBatchError('configuration', `no execution provider serves ${file}`, {
    details: failures,
    hint: requireGpu
      ? 'run where the GPU is, or drop --require-gpu and have cpu in score.providers'
      : 'add cpu to score.providers, or install what the provider needs (the README has a section on GPUs)',
  });
}

function create(bytes: Uint8Array, provider: string, requireGpu: boolean): Promise<InferenceSession> {
  return InferenceSession.create(bytes, {
    executionProviders: [provider],
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

function wrap(session: InferenceSession, provider: string): Session {
  return {
    provider,
    metadata: { inputs: session.inputMetadata.map(tensorInfo), outputs: session.outputMetadata.map(tensorInfo) },
    version: env.versions.node ?? 'unknown',
    async run(inputs, { name, index }) {
      const feeds = Object.fromEntries(inputs.map((input) => [input.name, new Tensor(input.dtype, input.values, input.shape)]));
      const rows = inputs[0]?.shape[0] ?? 0;
      const result = await session.run(feeds, [name]).catch((cause: unknown) => {
        throw new ScoreBatchError('configuration', `the model fails on a batch of ${rows} rows`, {
          // An index is what stood in a row.
          details: [
            (cause instanceof Error ? cause.message : String(cause))
              .replaceAll(/\s+/g, ' ')
              .replaceAll(/\bidx=-?\d+/g, 'idx=…'),
          ],
          hint: 'score the same rows with onnxruntime in Python; `score-batch model verify` tries the golden rows',
          cause,
        });
      });
      const { data, dims } = result[name] as Tensor;
      const width = dims.length < 2 ? 1 : Number(dims[1]);
      if (!(data instanceof Float32Array || data instanceof Float64Array) || index >= width || data.length !== rows * width) {
        throw new ScoreBatchError(
          'configuration',
          `the output ${name} gave [${dims.join(', ')}] for ${rows} rows, where element ${index} of each row is the score`,
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

function firstLine(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).split('\n', 1)[0] ?? '';
}
