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

/** A provider as in a job (`cuda:1`), or as ONNX Runtime takes it. */
type Provider = string | (InferenceSession.ExecutionProviderOption & { readonly name: string });

/** A node is about a kilobyte; the runtime itself stops at a million events. */
const MAX_PROFILE_BYTES = 256e6;

/**
 * Which execution provider runs each node of a model when a session is opened on `provider`: the model is run once, with the
 * runtime's profiling. What a provider has no kernel for falls back to cpu without a word, and this is the only way to see it.
 * Nodes of a branch that these inputs do not take are not there.
 *
 * Blocks the thread for the run, and opens a session of its own: mind the providers of which there may be one per process.
 *
 * @param outputs names of the outputs to fetch: every node runs all the same, and one that is no tensor cannot be fetched
 * @throws ScoreBatchError `configuration` where the file is no model for this runtime, the run fails, or no profile comes of it;
 *   the runtime's own error where the provider cannot load
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
    await profile(model, provider, inputs, outputs, path.join(folder, 'profile'));
    const [file] = await readdir(folder);
    return placedNodes(String(await readBounded(path.join(folder, file ?? 'profile'), MAX_PROFILE_BYTES, 'is there room?')));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw new ScoreBatchError('configuration', `ONNX Runtime's profile of ${model.file} cannot be read`, {
      details: [cause.message],
      hint: 'names of nodes with quotes or control characters break it: export the model with plain names',
      cause,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function profile(
  { file, bytes }: ModelBytes,
  provider: Provider,
  inputs: readonly InputTensor[],
  outputs: readonly string[],
  prefix: string,
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
      throw new ScoreBatchError('configuration', `${file} fails on the rows that it was tried with`, {
        // An index is what stood in a row.
        details: [
          String(cause)
            .replaceAll(/\s+/g, ' ')
            .replaceAll(/\bidx=-?\d+/g, 'idx=…'),
        ],
        hint: '`score-batch model verify` tries the golden rows',
        cause,
      });
    });
    session.endProfiling();
  } finally {
    await session.release();
  }
}
