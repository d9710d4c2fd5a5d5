import { featuresOf } from '../domain/signature.ts';
import { ScoreBatchError } from '../errors.ts';
import { createEncoder } from '../features/encoder.ts';
import { readRejection } from '../features/rejection.ts';
import { type Agreement, agreeWithGolden } from '../model/agreement.ts';
import type { Bundle } from '../model/bundle.ts';
import { parseGolden } from '../model/golden.ts';
import { checkModel } from '../model/model-check.ts';
import { goldenValues } from '../model/scores.ts';
import { seededRandom } from '../random.ts';
import { inBatches } from '../runtime/batches.ts';
import { openSession, type Session } from '../runtime/session.ts';
import { baselineText } from './baseline-rows.ts';
import { cellOf } from './cells.ts';
import { chooseGolden, goldenText } from './golden-rows.ts';
import { createSampler, type Sample } from './sample.ts';
import { openTrainingRows, sourceName, type TrainingRows, type TrainingSource } from './training-rows.ts';
import { describeTypical, type Typical } from './typical.ts';

/** Maximum rows of a DuckDB batch. */
const BATCH_ROWS = 2048;

export interface ReferenceOptions {
  readonly source: TrainingSource;
  /**
   * Column with expected scores, as computed in Python; for a bundle with classes a column per label, in their order. Without
   * any, the model's own scores are used.
   */
  readonly expected: readonly string[];
  /** Golden rows to spread over the scores, in addition to those for nulls, extremes and categories. */
  readonly goldenRows: number;
  readonly signal: AbortSignal;
}

/** Rows that a run would quarantine, by reason. */
export interface ExcludedRows {
  readonly reason: string;
  readonly feature: string | undefined;
  readonly rows: number;
}

export interface MadeReference extends Typical {
  /** Text of the golden file. */
  readonly golden: string;
  /** Text of the file with the baseline rows, at most 100. */
  readonly baselineRows: string;
  /** How well the model agrees with that file. */
  readonly agreement: Agreement;
  /** Rows of the source, and rows in the sample. */
  readonly read: number;
  readonly used: number;
  readonly excluded: readonly ExcludedRows[];
  /** Largest difference between the model's scores and the expected ones; undefined without expected scores. */
  readonly largest: number | undefined;
}

/**
 * Makes the reference and baseline of `model.yaml`, and golden.csv, from training rows that it scores on cpu. Rows that a run
 * would quarantine are excluded.
 *
 * @throws ScoreBatchError `configuration` if the rows cannot be read, none is left, the scores differ from the expected ones, or
 *   the score of a row depends on other rows
 */
export async function makeReference(bundle: Bundle, options: ReferenceOptions): Promise<MadeReference> {
  const { signature } = bundle;
  const session = await openSession(bundle, { providers: ['cpu'], requireGpu: false });
  try {
    checkModel(session.metadata, signature, bundle.file);
    await using training = await openTrainingRows(signature, options);
    const { sample, ...scored } = await scoreRows(bundle, session, training, options);
    const name = sourceName(options.source);
    if (sample.rows.length === 0) {
      throw new ScoreBatchError('configuration', `${name} has no rows that a run would score`, {
        details: scored.excluded.map(showExcluded),
        hint: 'compare the rows with ranges, categories and nullable in model.yaml',
      });
    }
    const golden = goldenText(signature, sample, chooseGolden(signature, sample, options.goldenRows));
    const agreement = await agreeWithGolden(bundle, parseGolden(signature, 'the new golden rows', golden), session);
    const baselineRows = baselineText(signature, sample, randomOf(bundle));
    return { ...describeTypical(signature, sample), golden, baselineRows, agreement, used: sample.rows.length, ...scored };
  } finally {
    await session.close();
  }
}

/** The same numbers for the same model, so that a second call makes the same files. */
function randomOf({ digest }: Bundle): () => number {
  return seededRandom(Number.parseInt(digest.slice(0, 8), 16));
}

/** `3 rows: feature out of range (a)` */
export function showExcluded({ reason, feature, rows }: ExcludedRows): string {
  return `${rows} ${rows === 1 ? 'row' : 'rows'}: ${reason}${feature === undefined ? '' : ` (${feature})`}`;
}

async function scoreRows(
  bundle: Bundle,
  session: Session,
  training: TrainingRows,
  { source, expected }: ReferenceOptions,
): Promise<{ sample: Sample } & Pick<MadeReference, 'read' | 'excluded' | 'largest'>> {
  const { signature, definition } = bundle;
  const { tolerance } = definition.golden;
  const features = featuresOf(signature);
  const encoder = createEncoder(signature, training.columns, BATCH_ROWS);
  const batched = inBatches(session);
  const sampler = createSampler(randomOf(bundle));
  const tally = new Map<string, ExcludedRows>();
  const exclude = (reason: string, feature?: string): void => {
    const key = `${reason}\n${feature}`;
    tally.set(key, { reason, feature, rows: (tally.get(key)?.rows ?? 0) + 1 });
  };
  let [read, largest] = [0, 0];
  for await (const batch of training.batches()) {
    const rejected = new Int32Array(batch.rows);
    encoder.encode(batch, 0, rejected);
    const values = await goldenValues(batched, encoder.tensors(batch.rows), signature);
    const width = values.length / batch.rows;
    for (let row = 0; row < batch.rows; row += 1) {
      read += 1;
      const given = values.slice(row * width, (row + 1) * width);
      const wanted = expected.map((_, i) => cellOf(batch, features.length + i, row));
      const unknown = wanted.indexOf(null);
      if (rejected[row] !== 0) {
        const { reason, feature } = readRejection(rejected[row] ?? 0);
        exclude(reason, features[feature ?? 0]?.feature.name);
      } else if (!given.every(Number.isFinite)) exclude('score is not a finite number');
      else if (given.some((score) => score < 0 || score > 1)) exclude('score outside 0 to 1');
      else if (unknown >= 0) exclude(`null in ${expected[unknown]}`);
      else {
        for (const [i, one] of wanted.entries()) {
          const difference = Math.abs(Number(one) - (given[i] ?? Number.NaN));
          if (!(difference <= tolerance))
            throw unexpectedScore(bundle, source, { row: read, expected: expected[i], difference });
          largest = Math.max(largest, difference);
        }
        sampler.offer(
          () => features.map((_, column) => cellOf(batch, column, row)),
          given,
          expected.length > 0 ? wanted.map(Number) : undefined,
        );
      }
    }
  }
  return {
    sample: sampler.sample(),
    read,
    excluded: [...tally.values()].sort((a, b) => b.rows - a.rows),
    largest: expected.length === 0 ? undefined : largest,
  };
}

function unexpectedScore(
  { file, definition }: Bundle,
  source: TrainingSource,
  { row, expected, difference }: { readonly row: number; readonly expected: string | undefined; readonly difference: number },
): ScoreBatchError {
  return new ScoreBatchError('configuration', `${file} does not reproduce the scores in ${expected}`, {
    details: [`row ${row} of ${sourceName(source)} differs by ${difference}`],
    hint: `the tolerance is ${definition.golden.tolerance} (golden.tolerance in model.yaml); check that the scores were made with this export, from the same columns`,
  });
}
