import { readFacts } from '../../domain/attempt-facts.ts';
import { checksumOf } from '../../domain/checksum.ts';
import { type AttemptTally, pinAttempts, type RejectionTally } from '../../domain/reconciliation.ts';
import type { Column } from '../../domain/schema.ts';
import { stagedColumn, stagedKeep, stagedKey } from '../../domain/staged-columns.ts';
import { SCORE_SCALE } from '../../domain/tables.ts';
import type { Dialect } from '../dialect.ts';
import type { ReconcileOptions, StagedTally } from '../publication-spec.ts';
import type { TextRow } from '../reader.ts';
import { rejectionHash, scoreHash, showContent } from './content.ts';
import { checksumSums, keyHash } from './dialect.ts';

/**
 * Counts the rows of a staging table whose sink `stagesText`.
 *
 * @param rows runs a query that selects only text
 */
export async function tallyStaging(
  dialect: Dialect,
  staging: string,
  { frozen, key, keep, scorer, scoreEdges }: ReconcileOptions,
  rows: (sql: string) => Promise<readonly TextRow[]>,
): Promise<StagedTally> {
  const pinning = pinAttempts(frozen, (await rows(selectAttempts(dialect, staging, key, keep))).map(toAttempt), scorer);
  if (pinning.pinned.length === 0) return { ...pinning, rejections: [], scoreCounts: scoreEdges && [] };
  const pinned = pinnedRows(dialect, staging, pinning.pinned);
  const rejections = (await rows(selectRejections(dialect, pinned))).map(toRejection);
  if (scoreEdges === undefined) return { ...pinning, rejections, scoreCounts: undefined };
  const [counts = []] = await rows(
    `SELECT ${histogramCounts(scoreEdges)
      .map((count) => asText(dialect, count))
      .join(', ')} FROM ${pinned}`,
  );
  return { ...pinning, rejections, scoreCounts: counts.map(Number) };
}

/** FROM clause with the rows of the pinned attempts. */
export function pinnedRows(
  dialect: Dialect,
  staging: string,
  pinned: readonly Pick<AttemptTally, 'chunk' | 'attempt'>[],
): string {
  const names = pinned.map(({ chunk, attempt }) => dialect.literal(`${chunk}-${attempt}`));
  return `(SELECT * FROM ${staging} WHERE concat(${asText(dialect, 'chunk')}, '-', attempt) IN (${names.join(', ')})) pinned`;
}

/** The scored ones of these rows. @param from FROM clause */
export function scoredRows(from: string): string {
  return `(SELECT * FROM ${from} WHERE score IS NOT NULL) scored`;
}

/** One count per bin of a histogram; see `Histogram`. */
export function histogramCounts(edges: readonly number[]): string[] {
  // Scores are whole millionths, so a bound between two of them rounds up.
  const bounds = edges.map((edge) => Math.ceil(Number((edge * 10 ** SCORE_SCALE).toPrecision(15))));
  return [...bounds, undefined].map((upper, bin) => {
    const lower = bounds[bin - 1];
    const millionths = `score * ${10 ** SCORE_SCALE}`;
    const conditions = [
      'score IS NOT NULL',
      ...(lower === undefined ? [] : [`${millionths} >= ${lower}`]),
      ...(upper === undefined ? [] : [`${millionths} < ${upper}`]),
    ];
    return `COUNT(CASE WHEN ${conditions.join(' AND ')} THEN 1 END)`;
  });
}

function selectAttempts(dialect: Dialect, staging: string, key: readonly Column[], keep: readonly Column[]): string {
  const keys = key.map((column, i) => stagedColumn(column, stagedKey(i)));
  const kept = keep.map((column, i) => stagedColumn(column, stagedKeep(i)));
  const hash = keyHash(dialect, keys);
  const counts = [
    'COUNT(*)',
    'COUNT(score)',
    'SUM(score)',
    ...checksumSums(dialect, hash),
    ...checksumSums(dialect, `CASE WHEN score IS NOT NULL THEN ${scoreHash(dialect, [...keys, ...kept], 'score')} END`),
    ...checksumSums(dialect, `CASE WHEN reason IS NOT NULL THEN ${rejectionHash(dialect, keys)} END`),
  ].map((count) => asText(dialect, count));
  return `SELECT ${asText(dialect, 'chunk')}, attempt, MIN(provider), MAX(facts), ${counts.join(', ')} FROM ${staging} GROUP BY chunk, attempt`;
}

function toAttempt([chunk, attempt, provider, facts, rows, scored, scoreSum, high, low, ...sums]: TextRow): AttemptTally {
  return {
    chunk: Number(chunk),
    attempt: String(attempt),
    provider: String(provider),
    rows: Number(rows),
    scored: Number(scored),
    scoreSum: Number(scoreSum ?? 0),
    checksum: checksumOf(high, low),
    facts: readFacts(facts),
    content: showContent({ scored: checksumOf(sums[0], sums[1]), rejected: checksumOf(sums[2], sums[3]) }),
  };
}

function selectRejections(dialect: Dialect, pinned: string): string {
  return `SELECT reason, column_name, ${asText(dialect, 'COUNT(*)')} FROM ${pinned} WHERE reason IS NOT NULL
    GROUP BY reason, column_name ORDER BY COUNT(*) DESC, reason, column_name`;
}

function toRejection([reason, column, rows]: TextRow): RejectionTally {
  return { reason: String(reason), columnName: column ?? undefined, rows: Number(rows) };
}

function asText(dialect: Dialect, expression: string): string {
  return `CAST(${expression} AS ${dialect.type({ type: 'string' })})`;
}
