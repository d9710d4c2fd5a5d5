import type { CurrentRow } from './current-rows.ts';
import { type Draft, type ExpectedRow, resolved, scoreKey, scoreOf } from './expected.ts';
import { FEATURES } from './features.ts';
import { BANDS } from './project.ts';

/** Rounding of floating-point sums of decimals. */
const ROUNDING = 1e-9;

/**
 * Compares rows of the current table with the expectations, and learns scores that are not known yet.
 *
 * @returns sentences about differences; empty if there are none
 */
export function rowProblems(draft: Draft, rows: readonly CurrentRow[]): string[] {
  const problems: string[] = [];
  for (const row of rows) {
    const wanted = draft.row(row.customer);
    if (wanted === undefined) {
      problems.push(`customer ${row.customer} has a row, but no slice has read the customer`);
      continue;
    }
    if (
      !wanted.deleted &&
      wanted.problem === null &&
      row.score !== null &&
      draft.score(wanted.digest, wanted.vector) === undefined
    )
      draft.scores.set(scoreKey(wanted.digest, wanted.vector), row.score);
    const settled = settle(draft, wanted, row);
    if (draft.rows.has(row.customer)) draft.rows.set(row.customer, settled);
    problems.push(...differences(draft, settled, row).map((difference) => `customer ${row.customer}: ${difference}`));
  }
  return problems;
}

/** If a score between two slices of one command was never seen, trusts the table. */
function settle(draft: Draft, wanted: ExpectedRow, { changedAt, previousScore }: CurrentRow): ExpectedRow {
  const row = resolved(draft, wanted);
  return row.changedAt === undefined ? { ...row, changedAt, previousScore, before: undefined } : row;
}

function differences(draft: Draft, wanted: ExpectedRow, row: CurrentRow): string[] {
  const score = scoreOf(draft, wanted) ?? null;
  const pairs: readonly (readonly [name: string, found: unknown, expected: unknown])[] = [
    ['position', row.position, wanted.position],
    ['as_of', row.asOf, wanted.asOf],
    ['model_digest', row.digest, wanted.digest],
    ['deleted', row.deleted, wanted.deleted],
    ['whether there is a reason', row.reason !== null, wanted.problem !== null],
    ['score', row.score, score],
    ['band', row.band, score === null ? null : bandOf(score)],
    ['changed_at', row.changedAt, wanted.changedAt],
    ['previous_score', row.previousScore, wanted.previousScore],
  ];
  const features = FEATURES.filter((name) => !isNear(row.features[name], wanted.features?.[name] ?? null));
  return [
    ...pairs
      .filter(([, found, expected]) => found !== expected)
      .map(([name, found, expected]) => `${name} is ${found}, not ${expected}`),
    ...features.map((name) => `${name} is ${row.features[name]}, not ${wanted.features?.[name]}`),
  ];
}

function bandOf(score: number): string {
  return Object.entries(BANDS).find(([, threshold]) => score >= threshold)?.[0] ?? 'low';
}

function isNear(found: number | null, wanted: number | null): boolean {
  if (found === null || wanted === null) return found === wanted;
  return Math.abs(found - wanted) <= ROUNDING * Math.max(1, Math.abs(wanted));
}
