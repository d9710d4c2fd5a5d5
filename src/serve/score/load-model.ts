import type { ColumnBatch } from '../../domain/column-batch.ts';
import { createEncoder } from '../../features/encoder.ts';
import { rejection } from '../../features/rejection.ts';
import { loadBundle } from '../../model/bundle.ts';
import { tryBundle } from '../../model/try-bundle.ts';
import { loadModel, type OutputTensor, openSession } from '../../runtime/session.ts';
import { ServeFailure } from '../failure.ts';
import type { OnlineModel, Predictions, ScoreRequest } from '../online-model.ts';
import type { ServeSettings } from '../settings.ts';

const MILLION = 1_000_000;

/**
 * Loads a bundle, proves its golden rows and opens the session that answers. Blocks the thread while the model is read.
 *
 * @param onRun is told the rows of each run
 * @throws ScoreBatchError `configuration` if the bundle is not what it says
 */
export async function loadOnlineModel(
  folder: string,
  settings: ServeSettings,
  onRun: (rows: number) => void = () => undefined,
): Promise<OnlineModel> {
  const bundle = await loadBundle(folder);
  const { providers, requireGpu, limits } = settings;
  await tryBundle(bundle, { providers, requireGpu });
  await loadModel(bundle);
  const session = await openSession(bundle, { providers, requireGpu });
  const { signature, definition, digest } = bundle;
  const { kinds } = createEncoder(signature, [], 1);
  const { classes, output } = signature;
  const names = [output.name, ...(classes?.label === undefined ? [] : [classes.label])];
  const maxRows = limits.rows ?? 4096;
  const dtype = session.metadata.outputs.find(({ name }) => name === output.name)?.dtype;

  async function predict(batch: ColumnBatch): Promise<Predictions> {
    const { rows } = batch;
    onRun(rows);
    const encoder = createEncoder(signature, [], rows);
    const rejected = new Int32Array(rows);
    encoder.encode(batch, 0, rejected);
    const [numbers, labels] = await session.runOutputs(encoder.tensors(rows), names);
    const width = classes?.labels.length ?? 1;
    const values = numbersOf(numbers, rows, width, classes === undefined ? output.index : 0);
    rejectScores(values, width, rejected);
    return { rows, values, width, labels: labels && Array.from(labels.values, String), rejected };
  }

  return {
    name: definition.name,
    version: definition.version,
    digest,
    bundle,
    classes: classes?.labels,
    outputDtype: dtype === 'float64' ? 'float64' : 'float32',
    kinds,
    maxRows,
    sameBits: false,
    queuedRows: () => 0,
    async score({ batch }: ScoreRequest) {
      if (batch.rows > maxRows) throw new ServeFailure('too large', `the request has ${batch.rows} rows`);
      return await predict(batch);
    },
    close: () => session.close(),
  };
}

function numbersOf(tensor: OutputTensor | undefined, rows: number, width: number, index: number): Float32Array | Float64Array {
  const { values = new Float32Array(0) } = tensor ?? {};
  if (!(values instanceof Float32Array || values instanceof Float64Array)) throw new TypeError('the score is not a float');
  const given = values.length / Math.max(1, rows);
  if (given === width) return values;
  return values.filter((_, at) => at % given === index);
}

/** The rule of the batch: rounded to millionths, a score is between 0 and 1. */
function rejectScores(values: Float32Array | Float64Array, width: number, rejected: Int32Array): void {
  for (let at = 0; at < values.length; at += 1) {
    const row = Math.floor(at / width);
    const score = Math.round((values[at] as number) * MILLION);
    if (score >= 0 && score <= MILLION) continue;
    rejected[row] ||= rejection(Number.isFinite(values[at]) ? 'score outside 0 to 1' : 'score is not a finite number');
  }
}
