import { counted, grouped } from '../domain/counted.ts';
import { fixedBatch } from '../domain/model-metadata.ts';
import { ScoreBatchError } from '../errors.ts';
import type { JobDefinition } from '../job/schema.ts';
import type { Bundle } from '../model/bundle.ts';
import { type TriedBundle, tryBundle } from '../model/try-bundle.ts';

/** Rows of the canary batch on a GPU if `score.batch_rows` is auto: about as many as a run uses. */
const CANARY_ROWS = 8_192;

/**
 * Loads the model once on this thread and scores the golden rows, so that a bad model is refused here and not by every worker.
 *
 * @throws ScoreBatchError `configuration` if no provider runs the model, its scores differ, or it cannot take batches of this
 * size
 */
export async function tryModel(bundle: Bundle, score: JobDefinition['score'], requireGpu: boolean): Promise<TriedBundle> {
  const { providers, batch_rows: configured } = score;
  const served = await tryBundle(bundle, {
    providers,
    requireGpu,
    batchRows: configured === 'auto' ? CANARY_ROWS : configured,
  });
  const fixed = fixedBatch(served.metadata);
  if (fixed === undefined || configured === 'auto' || configured === fixed) return served;
  throw new ScoreBatchError(
    'configuration',
    `${bundle.file} takes exactly ${counted(fixed, 'row')} at a time, but score.batch_rows is ${grouped(configured)}`,
    {
      hint: 'remove score.batch_rows, so that the last batch is padded; or export the model with a dynamic first dimension, which is faster',
    },
  );
}
