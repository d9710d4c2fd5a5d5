import type { FrozenTable } from '../domain/frozen-table.ts';
import type { AttemptTally } from '../domain/reconciliation.ts';
import type { Plan } from '../plan/plan.ts';
import type { ActiveRun } from '../run/progress.ts';
import type { TextRow } from '../warehouse/reader.ts';
import { type CurrentCounts, countCurrent } from '../warehouse/sql/current-counts.ts';
import { writeEarlier } from './earlier.ts';
import { frozenKeys } from './keys.ts';
import type { Position } from './position.ts';

/**
 * Keys of users whose row comes from another model, earliest written first: they are scored along with those that changed.
 *
 * @param limit number of keys
 * @returns canonical strings; empty if the model did not change
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

/**
 * Writes the current table's scores of the frozen rows to a file for the chunk workers; the scores of all users if the slice
 * reads all users, or source and sink are two databases.
 *
 * @returns its path; undefined if there are no scores
 */
export async function earlierScores({ plan, progress }: ActiveRun, frozen: FrozenTable): Promise<string | undefined> {
  const { sink, source, tables, key, bundle, job, slice, sourceAccess } = plan;
  const { warehouse } = job.definition.sink;
  const together = warehouse === undefined || warehouse === job.definition.source.warehouse;
  const only = together && slice?.details.kind === 'changes' ? await frozenKeys(source, frozen, key) : undefined;
  const folder = await sink.workFolder(progress.runId);
  const scoreColumn = job.definition.score.column;
  const embedded = plan.kinds.sink === 'duckdb';
  const { memory } = sourceAccess;
  const spec = { current: tables.scores, key, scoreColumn, digest: bundle.digest, only, embedded, folder, memory };
  return await sink.read((reader) => writeEarlier(reader, spec));
}

interface TableToCount {
  readonly pinned: readonly AttemptTally[];
  readonly gone: readonly TextRow[];
  readonly whole: boolean;
  /** Inner edges of the score bins. */
  readonly edges: readonly number[] | undefined;
}

/** Counts the users of the current table as it is, and as it would be. */
export async function countTable({ plan, progress }: ActiveRun, { pinned, ...rest }: TableToCount): Promise<CurrentCounts> {
  const { sink, tables, key, bundle, job } = plan;
  const options = {
    ...{ ...rest, table: tables.scores, key, digest: bundle.digest },
    ...{ scoreColumn: job.definition.score.column, stagesText: sink.stagesText },
  };
  if (pinned.length === 0) return await sink.read((reader) => countCurrent(reader, { ...options, staged: undefined }));
  return await sink.readStaged({ runId: progress.runId, key, pinned, slice: true }, (reader, staged) =>
    countCurrent(reader, { ...options, staged }),
  );
}
