import type { LedgerEntry } from '../../domain/ledger.ts';
import { SCORE_SCALE } from '../../domain/tables.ts';
import type { Dialect } from '../dialect.ts';
import { isKept, type KeptTable } from './replaced.ts';
import { inPublication } from './windows.ts';

/** Numbers of users with a score now, in a kept publication, or in both; sums of scores are decimal strings. */
export interface ScoreChange {
  readonly both: number;
  readonly onlyNow: number;
  readonly onlyThen: number;
  /** Users in both whose scores differ. */
  readonly differ: number;
  readonly sumNow: number;
  readonly sumThen: number;
}

/**
 * Selects a `ScoreChange` as one row of strings.
 *
 * @param now entry of the current publication
 * @param kept number of the kept publication
 */
export function selectChange(
  dialect: Dialect,
  { table, kept }: KeptTable,
  { now, kept: publication }: { readonly now: LedgerEntry; readonly kept: number },
  { key, score }: { readonly key: readonly string[]; readonly score: string },
): string {
  const keys = key.map((name) => dialect.identifier(name)).join(', ');
  const column = dialect.identifier(score);
  const decimal = dialect.type({ type: 'decimal', digits: [7, SCORE_SCALE] });
  const none = `CAST(NULL AS ${decimal})`;
  const sides = `SELECT ${keys}, ${column} AS now_score, ${none} AS then_score
      FROM ${dialect.table(table.name)} WHERE ${inPublication(dialect, table, now)}
    UNION ALL SELECT ${keys}, ${none} AS now_score, ${column} AS then_score
      FROM ${dialect.table(kept.name)} WHERE ${isKept(dialect, kept, now, publication)}`;
  const users = `SELECT ${keys}, MAX(now_score) AS now_score, MAX(then_score) AS then_score FROM (${sides}) sides GROUP BY ${keys}`;
  const count = (condition: string) => `COALESCE(SUM(CASE WHEN ${condition} THEN 1 ELSE 0 END), 0)`;
  const millionths = (name: string) =>
    `CAST(COALESCE(SUM(${name}), 0) * ${10 ** SCORE_SCALE} AS ${dialect.type({ type: 'integer' })})`;
  const cells = [
    count('now_score IS NOT NULL AND then_score IS NOT NULL'),
    count('then_score IS NULL'),
    count('now_score IS NULL'),
    count('now_score <> then_score'),
    millionths('now_score'),
    millionths('then_score'),
  ];
  return `SELECT ${cells.map((cell, i) => `CAST(${cell} AS ${dialect.type({ type: 'string' })}) AS c${i}`).join(', ')} FROM (${users}) users`;
}

/** @param row result of `selectChange` */
export function readChange(row: readonly (string | null)[]): ScoreChange {
  const [both = 0, onlyNow = 0, onlyThen = 0, differ = 0, now = 0, then = 0] = row.map(Number);
  const scale = 10 ** SCORE_SCALE;
  return { both, onlyNow, onlyThen, differ, sumNow: now / scale, sumThen: then / scale };
}
