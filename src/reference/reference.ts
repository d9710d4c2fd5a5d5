import { featuresOf } from '../domain/signature.ts';
import { ScoreBatchError } from '../errors.ts';
import { createEncoder } from '../features/encoder.ts';
import { readRejection } from '../features/rejection.ts';
import { type Agreement, agreeWithGolden } from '../model/agreement.ts';
import type { Bundle } from '../model/bundle.ts';
import { goldenOf } from '../model/golden.ts';
import { checkModel } from '../model/model-check.ts';
import { scoresOf } from '../model/scores.ts';
import { seededRandom } from '../random.ts';
import { inBatches } from '../runtime/batches.ts';
import { openSession, type Session } from '../runtime/session.ts';
import { cellOf } from './cells.ts';
import { chooseGolden, goldenText } from './golden-rows.ts';
import { createSampler, type Sample } from './sample.ts';
import { nameOf, openTrainingRows, type TrainingRows, type TrainingSource } from './training-rows.ts';
import { type Typical, typicalOf } from './typical.ts';

/** Rows of a batch of DuckDB at most. */
const BATCH_ROWS = 2048;

export interface ReferenceOptions {
  readonly source: TrainingSource;
  /** Column with the scores that another run of the model gave, in Python; the model's own are taken without it. */
  readonly expected: string | undefined;
  /** Golden rows to spread over the scores; nulls, extremes and categories come on top. */
  readonly goldenRows: number;
  readonly signal: AbortSignal;
}

/** Rows that a run would not score. */
export interface ExcludedRows {
  readonly reason: string;
  readonly feature: string | undefined;
  readonly rows: number;
}

export interface MadeReference extends Typical {
  /** Text of the golden file. */
  readonly golden: string;
  /** How the model agrees with that file. */
  readonly agreement: Agreement;
  /** Rows of the source, and rows of which all this was made. */
  readonly read: number;
  readonly used: number;
  readonly excluded: readonly ExcludedRows[];
  /** Largest difference between the model's score and the expected one; undefined where the scores are the model's own. */
  readonly largest: number | undefined;
}

/**
 * Makes what `model.yaml` and golden.csv say of a model from rows that it was trained on, scored on cpu. Rows that a run would
 * quarantine are left out.
 *
 * @throws ScoreBatchError `configuration` where the rows cannot be read, none is left, or the model does not give the expected
 *   scores or does not score each row by itself
 */
export async function makeReference(bundle: Bundle, options: ReferenceOptions): Promise<MadeReference> {
  const { signature } = bundle;
  const session = await openSession(bundle, { providers: ['cpu'], requireGpu: false });
  try {
    checkModel(session.metadata, signature, bundle.file);
    await using training = await openTrainingRows(options.source, signature, options.expected, options.signal);
    const { sample, ...scored } = await scoreRows(bundle, session, training, options);
    const name = nameOf(options.source);
    if (sample.rows.length === 0) {
      throw new ScoreBatchError('configuration', `${name} has no row that a run would score`, {
        details: scored.excluded.map(showExcluded),
        hint: 'compare the rows with ranges, categories and nullable in model.yaml',
      });
    }
    const golden = goldenText(signature, sample, chooseGolden(signature, sample, options.goldenRows));
    const agreement = await agreeWithGolden(bundle, goldenOf(signature, 'the new golden rows', golden), session);
    return { ...typicalOf(signature, sample), golden, agreement, used: sample.rows.length, ...scored };
  } finally {
    await session.close();
  }
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
  const sampler = createSampler(seededRandom(Number.parseInt(bundle.digest.slice(0, 8), 16)));
  const tally = new Map<string, ExcludedRows>();
  const exclude = (reason: string, feature?: string): void => {
    const key = `${reason}\n${feature}`;
    tally.set(key, { reason, feature, rows: (tally.get(key)?.rows ?? 0) + 1 });
  };
  let [read, largest] = [0, 0];
  for await (const batch of training.batches()) {
    const rejected = new Int32Array(batch.rows);
    encoder.encode(batch, 0, rejected);
    const scores = await scoresOf(batched, encoder.tensors(batch.rows), signature.output);
    for (let row = 0; row < batch.rows; row += 1) {
      read += 1;
      const score = scores[row] ?? Number.NaN;
      const wanted = expected === undefined ? undefined : cellOf(batch, features.length, row);
      if (rejected[row] !== 0) {
        const { reason, feature } = readRejection(rejected[row] ?? 0);
        exclude(reason, features[feature ?? 0]?.feature.name);
      } else if (!Number.isFinite(score)) exclude('score is not a finite number');
      else if (score < 0 || score > 1) exclude('score outside 0 to 1');
      else if (wanted === null) exclude(`null in ${expected}`);
      else {
        const difference = wanted === undefined ? 0 : Math.abs(Number(wanted) - score);
        if (!(difference <= tolerance)) throw disagreement(bundle, source, { row: read, expected, difference });
        largest = Math.max(largest, difference);
        sampler.offer(
          () => features.map((_, column) => cellOf(batch, column, row)),
          score,
          wanted === undefined ? undefined : Number(wanted),
        );
      }
    }
  }
  return {
    sample: sampler.sample(),
    read,
    excluded: [...tally.values()].sort((a, b) => b.rows - a.rows),
    largest: expected === undefined ? undefined : largest,
  };
}

function disagreement(
  { file, definition }: Bundle,
  source: TrainingSource,
  { row, expected, difference }: { readonly row: number; readonly expected: string | undefined; readonly difference: number },
): ScoreBatchError {
  return new ScoreBatchError('configuration', `${file} does not give the scores in ${expected}`, {
    details: [`row ${row} of ${nameOf(source)} differs by ${difference}`],
    hint: `the tolerance is ${definition.golden.tolerance} (golden.tolerance in model.yaml); were the scores made with this export, from the same columns?`,
  });
}
