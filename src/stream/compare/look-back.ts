import { tmpdir } from 'node:os';
import { type Database, openDatabase } from '../../duckdb/database.ts';
import { ScoreBatchError } from '../../errors.ts';
import { type EventFeatures, horizonMs } from '../../event-features/definition.ts';
import { type Difference, differencesOf } from './differences.ts';
import { type Batch, loadPublished, refuseOtherKey } from './published.ts';
import { loadWritten, type TimeRange } from './rows.ts';
import type { Written } from './written.ts';

export interface LookBackOptions {
  readonly scores: Written;
  readonly deadLetter: Written | undefined;
  readonly batch: Batch;
  /** Name of the batch job. */
  readonly batchJob: string;
  readonly features: EventFeatures;
  /** Digest of the features with which the batch scored. */
  readonly batchFeatures: string;
  readonly window: TimeRange;
  /** Leaves out scores of another model or other features instead of refusing them. */
  readonly allowOther: boolean;
  /** Most events to name per kind, and per reason. */
  readonly named: number;
  /** For the database, bytes. */
  readonly memory: number;
  readonly signal: AbortSignal;
}

/** Kafka position of an event that was not scored, and the reason. */
interface NamedRejection {
  readonly reason: string;
  readonly partition: number;
  readonly offset: number;
}

/** Compares what the stream wrote for the events of a window with what the batch published. */
export interface LookBack {
  /** Events that both scored; of these, how many agree within 1e-6, and how many do not. */
  readonly compared: number;
  readonly equal: number;
  readonly differ: number;
  /** Largest difference of compared events; null if there are none. */
  readonly largest: number | null;
  readonly only: { readonly stream: number; readonly batch: number };
  /** Outside the agreement: scored before their time, scored with a capped window, or several events under one id. */
  readonly outside: { readonly idle: number; readonly capped: number; readonly repeated: number };
  /** Scores of another model or other features, which were left out. */
  readonly other: { readonly model: number; readonly features: number };
  /** Records that the stream wrote twice, so not exactly once. */
  readonly doubled: number;
  /**
   * Ids that the stream scored at several positions although it should have known them, or although the batch has one event.
   */
  readonly again: number;
  /** Whether no event was compared although at least one side has some. */
  readonly isVacuous: boolean;
  readonly rejected: readonly { readonly reason: string; readonly events: number }[];
  readonly differences: readonly Difference[];
  readonly named: {
    readonly only_stream: readonly string[];
    readonly only_batch: readonly string[];
    readonly idle: readonly string[];
    readonly capped: readonly string[];
    readonly repeated: readonly string[];
    readonly scored_again: readonly string[];
    readonly rejected: readonly NamedRejection[];
  };
}

/**
 * Compares score by score. Memory stays bounded: both sides are tables in a database that spills to disk.
 *
 * @throws ScoreBatchError `refused` if scores are of another model or other features, `configuration` if the records were not
 * written by a stream, or the batch does not score events
 */
export async function lookBack(options: LookBackOptions): Promise<LookBack> {
  const { batch, batchJob, features, window, memory, signal } = options;
  refuseOtherKey(batch, features.id, batchJob);
  await using database = await openDatabase(':memory:', { memory, temporary: tmpdir(), signal });
  await loadWritten(database, options, window);
  await loadPublished(database, batch);
  const model = batch.side.facts.model.digest;
  const other = await otherScores(database, { model, features: options.batchFeatures });
  if (!options.allowOther) refuseOther(other, options);
  await database.run(PAIRED, { longest: horizonMs(features) - features.latenessMs });
  const [counts = []] = await database.rows(COUNTS);
  const [compared, equal, largest, onlyStream, onlyBatch, idle, capped, repeated, again, doubled, read] = counts.map((cell) =>
    cell === null ? null : Number(cell),
  );
  const rejected = await database.rows(
    "SELECT reason, count(*) FROM rejected GROUP BY reason ORDER BY reason <> 'late', count(*) DESC, reason",
  );
  return {
    compared: compared ?? 0,
    equal: equal ?? 0,
    differ: (compared ?? 0) - (equal ?? 0),
    largest: largest === null || largest === undefined ? null : largest / 1e6,
    only: { stream: onlyStream ?? 0, batch: onlyBatch ?? 0 },
    outside: { idle: idle ?? 0, capped: capped ?? 0, repeated: repeated ?? 0 },
    other,
    doubled: doubled ?? 0,
    again: again ?? 0,
    isVacuous: (compared ?? 0) === 0 && (read ?? 0) > 0,
    rejected: rejected.map(([reason, events]) => ({ reason: String(reason), events: Number(events) })),
    differences: await differencesOf(database, batch, features, options.named),
    named: await namedOf(database, options.named),
  };
}

/** Whether nothing differs and each event was scored once; meaningless if nothing was compared. */
export function agrees({ differ, only, doubled, again }: LookBack): boolean {
  return differ === 0 && only.stream === 0 && only.batch === 0 && doubled === 0 && again === 0;
}

/** Copies scores of the expected model and features to `kept`. @returns how many scores have others */
async function otherScores(
  database: Database,
  { model, features }: { readonly model: string; readonly features: string },
): Promise<LookBack['other']> {
  const [row = []] = await database.rows(
    `SELECT count(*) FILTER (model <> $model), count(*) FILTER (model = $model AND features_digest <> $features) FROM scored`,
    { model, features },
  );
  await database.run('CREATE TABLE kept AS SELECT * FROM scored WHERE model = $model AND features_digest = $features', {
    model,
    features,
  });
  return { model: Number(row[0]), features: Number(row[1]) };
}

function refuseOther({ model, features }: LookBack['other'], { batchJob }: LookBackOptions): void {
  if (model === 0 && features === 0) return;
  const what = model > 0 ? 'with a different model than' : 'with different features than';
  throw new ScoreBatchError(
    'refused',
    `the stream scored ${model > 0 ? model : features} events of the window ${what} ${batchJob}`,
    {
      hint: 'run the window again with the model and features of the stream, or add --allow-other to leave those events out',
    },
  );
}

/**
 * One row per id. If its score is outside the agreement, or not the only one of the id, the event is left out on both sides.
 *
 * An id may legitimately come again as another event: the batch then has two rows with that key and quarantines them. It is an
 * error of the stream if the batch published the id, or if within a partition the event came no more than the longest window W
 * after the previous one. Such a copy is a duplicate: with lateness L and maximum M, the accepted event has t >= M - L, and a
 * forgotten one t < M - L - W.
 */
const PAIRED = `CREATE TABLE paired AS
  WITH ids AS (
    SELECT id, count(DISTINCT (partition, position)) AS places, any_value(millionths) AS millionths, any_value(features) AS features,
      any_value(outside) AS outside
    FROM kept GROUP BY id
  ), copies AS (
    SELECT DISTINCT id, partition, position, time FROM kept WHERE id IN (SELECT id FROM ids WHERE places > 1)
  ), close AS (
    SELECT DISTINCT id FROM (
      SELECT id, time - lag(time) OVER (PARTITION BY id, partition ORDER BY position) AS after FROM copies
    ) WHERE after <= $longest
  ), left_out AS (
    SELECT DISTINCT id FROM scored ANTI JOIN kept USING (id)
  )
  SELECT coalesce(s.id, p.id) AS id, s.millionths AS stream, p.millionths AS batch, s.features,
    CASE WHEN l.id IS NOT NULL THEN 'other'
      WHEN s.places > 1 THEN CASE WHEN p.id IS NOT NULL OR c.id IS NOT NULL THEN 'again' ELSE 'repeated' END
      ELSE s.outside END AS outside
  FROM ids s FULL JOIN published p ON s.id = p.id LEFT JOIN left_out l ON l.id = coalesce(s.id, p.id) LEFT JOIN close c ON c.id = s.id`;

// Scores are whole millionths, so a difference of 1 is 1e-6.
const COUNTS = `SELECT
    count(*) FILTER (outside IS NULL AND stream IS NOT NULL AND batch IS NOT NULL),
    count(*) FILTER (outside IS NULL AND abs(stream - batch) <= 1),
    max(abs(stream - batch)) FILTER (outside IS NULL),
    count(*) FILTER (outside IS NULL AND batch IS NULL),
    count(*) FILTER (outside IS NULL AND stream IS NULL),
    count(*) FILTER (outside = 'idle'),
    count(*) FILTER (outside = 'capped'),
    count(*) FILTER (outside = 'repeated'),
    count(*) FILTER (outside = 'again'),
    (SELECT count(*) - count(DISTINCT (partition, position)) FROM scored),
    (SELECT count(*) FROM scored) + (SELECT count(*) FROM published)
  FROM paired`;

async function namedOf(database: Database, most: number): Promise<LookBack['named']> {
  const ids = async (condition: string): Promise<string[]> =>
    (await database.rows(`SELECT id FROM paired WHERE ${condition} ORDER BY id LIMIT ${most}`)).map(([id]) => String(id));
  const rejected = await database.rows(
    `SELECT reason, partition, position FROM rejected
      QUALIFY row_number() OVER (PARTITION BY reason ORDER BY partition, position) <= ${most}
      ORDER BY reason <> 'late', reason, partition, position`,
  );
  return {
    only_stream: await ids('outside IS NULL AND batch IS NULL'),
    only_batch: await ids('outside IS NULL AND stream IS NULL'),
    idle: await ids("outside = 'idle'"),
    capped: await ids("outside = 'capped'"),
    repeated: await ids("outside = 'repeated'"),
    scored_again: await ids("outside = 'again'"),
    rejected: rejected.map(([reason, partition, offset]) => ({
      reason: String(reason),
      partition: Number(partition),
      offset: Number(offset),
    })),
  };
}
