import './telemetry.ts';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { readBounded } from '../bounded-file.ts';
import { ScoreBatchError } from '../errors.ts';
import { loadError } from './errors.ts';
import { executionProviders } from './execution-providers.ts';
import { checkedFacts, type ModelBytes } from './model-file.ts';
import { type PlacedNode, placedNodes } from './profile.ts';
import type { InputTensor } from './session.ts';

/** A provider as a job names it (`cuda:1`), or as ONNX Runtime takes it. */
type Provider = string | (InferenceSession.ExecutionProviderOption & { readonly name: string });

/** A node takes about a kilobyte; the runtime stops at a million events. */
const MAX_PROFILE_BYTES = 256e6;

/**
 * Finds which execution provider runs each node of a model. It runs the model once on `provider` with the runtime's profiling.
 * Nodes without a kernel on the provider silently fall back to cpu, and only the profile shows it. Nodes of a branch that
 * these inputs do not take are missing from the result.
 *
 * Blocks the thread for the run. Opens its own session, which matters for providers that allow one per process.
 *
 * @param outputs names of the outputs to fetch. Every node runs anyway, and an output that is not a tensor cannot be fetched.
 * @throws ScoreBatchError `configuration` if this runtime cannot load the file, the run fails, or the profile cannot be read;
 *   the runtime's own error if the provider cannot load
 */
export async function placeNodes(
  model: ModelBytes,
  provider: Provider,
  inputs: readonly InputTensor[],
  outputs: readonly string[],
): Promise<PlacedNode[]> {
  checkedFacts(model);
  const folder = await mkdtemp(path.join(tmpdir(), 'score-batch-profile-'));
  try {
    await profile(model, provider, { inputs, outputs, prefix: path.join(folder, 'profile') });
    const [file] = await readdir(folder);
    return placedNodes(
      String(await readBounded(path.join(folder, file ?? 'profile'), MAX_PROFILE_BYTES, 'check for free disk space')),
    );
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new ScoreBatchError('configuration', `ONNX Runtime's profile of ${model.file} cannot be read`, {
      details: [cause.message],
      hint: 'node names with quotes or control characters break it: export the model with plain names',
      cause,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface ProfileOptions {
  readonly inputs: readonly InputTensor[];
  readonly outputs: readonly string[];
  /** Path of the profile, without the timestamp that ONNX Runtime appends. */
  readonly prefix: string;
}

async function profile(
  { file, bytes }: ModelBytes,
  provider: Provider,
  { inputs, outputs, prefix }: ProfileOptions,
): Promise<void> {
  const session = await InferenceSession.create(bytes, {
    executionProviders: typeof provider === 'string' ? executionProviders(provider) : [provider],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 4,
    enableProfiling: true,
    profileFilePrefix: prefix,
    extra: { session: { load_model_format: 'ONNX' } },
  }).catch((cause: unknown) => {
    throw loadError(file, cause, typeof provider === 'string' ? provider : provider.name) ?? cause;
  });
  try {
    const feeds = Object.fromEntries(inputs.map((input) => [input.name, new Tensor(input.dtype, input.values, input.shape)]));
    await session.run(feeds, outputs).catch((cause: unknown) => {
      throw new ScoreBatchError('configuration', `${file} failed on the rows of a trial run`, {
        // An index is a value from a row, which must not appear in a message.
        details: [
          String(cause)
            .replaceAll(/\s+/g, ' ')
            .replaceAll(/\bidx=-?\d+/g, 'idx=…'),
        ],
        hint: '`score-batch model verify` scores the golden rows',
        cause,
      });
    });
    session.endProfiling();
  } finally {
    await session.release();
  }
}
