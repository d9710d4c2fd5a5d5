import type { FrozenTable } from '../domain/frozen-table.ts';
import type { AttemptTally } from '../domain/reconciliation.ts';
import type { Plan, SlicePlan } from '../plan/plan.ts';
import type { ActiveRun } from '../run/progress.ts';
import type { TextRow } from '../warehouse/reader.ts';
import { type CurrentCounts, countCurrent, readCurrentCounts } from '../warehouse/sql/current-counts.ts';
import { writeEarlier } from './earlier.ts';
import { frozenKeys } from './keys.ts';
import type { Position } from './position.ts';

/**
 * Keys of users whose row is of another model, those that were written first, first: they are scored beside those that changed.
 *
 * @param limit number of keys
 * @returns canonical texts; empty if the model did not change
 */
export async function keysOfOtherModels(
  { sink, tables, key, bundle }: Plan,
  position: Position | undefined,
  limit: number,
): Promise<readonly TextRow[]> {
  const same = position?.model.digest === bundle.digest && (position.outcome?.other_model ?? 0) === 0;
  if (position === undefined || same || limit === 0) return [];
  return await sink.read(async ({ dialect, find, rows }) => {
    const table = await find(tables.scores);
    if (table === undefined) return [];
    const texts = key.map((column, i) => `${dialect.text(dialect.identifier(column.name), column)} AS key_${i}`);
    return await rows(
      `SELECT ${texts.join(', ')} FROM ${dialect.table(table.name)}
       WHERE NOT deleted AND model_digest <> ${dialect.literal(bundle.digest)}
       ORDER BY ${dialect.identifier('position')}, key_0 LIMIT ${limit}`,
    );
  });
}

/** Writes the scores that the current table has for the frozen rows to a file for the chunk workers. @returns its path, if there are some */
export async function earlierScores(
  { plan, progress }: ActiveRun & { readonly plan: Plan },
  frozen: FrozenTable,
): Promise<string | undefined> {
  const { sink, source, tables, key, bundle, sourceAccess } = plan;
  return await writeEarlier(sink, {
    table: tables.scores,
    key,
    digest: bundle.digest,
    folder: await sink.workFolder(progress.runId),
    scoreColumn: plan.job.definition.score.column,
  });
}

/** The current table as it is, and as it would be. `before` is undefined if it does not exist yet. */
export async function countTable(
  { plan, progress }: ActiveRun,
  {
    pinned,
    gone,
    whole,
    edges,
  }: {
    readonly pinned: readonly AttemptTally[];
    readonly gone: readonly TextRow[];
    readonly whole: boolean;
    readonly edges: readonly number[] | undefined;
  },
): Promise<{ readonly before: CurrentCounts | undefined; readonly after: CurrentCounts }> {
  throw new Error('soon');
}
