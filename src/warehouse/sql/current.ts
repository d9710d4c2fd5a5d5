import type { LedgerEntry } from '../../domain/ledger.ts';
import { SKIP_KEY, stagedKeep, stagedKey } from '../../domain/staged-columns.ts';
import type { TableLayout } from '../../domain/tables.ts';
import type { Dialect } from '../dialect.ts';
import type { CurrentChange, PublicationSpec } from '../publication-spec.ts';
import { isUnchanged, keyConditions, type StagedSlice, sameKey, scoreOf, selectSlice, selectTable } from './current-rows.ts';
import { instant } from './dialect.ts';
import { bandOf, constants, insert } from './publication.ts';
import { inPublication } from './windows.ts';

// One function per statement, the same for every warehouse. Each ends with a WHERE clause, to which a fencing condition can be
// added. New rows are inserted beside those that they replace, and take over from them what has not changed; then the older
// ones are deleted. The position, which is the publication number of the slice that wrote a row, tells which is newer.

/** A slice to put into the current table. @param entry with its publication number, which is the position */
export interface SliceToPublish extends Pick<PublicationSpec, 'key' | 'keep' | 'bands' | 'entry'> {
  readonly table: TableLayout;
  readonly change: CurrentChange;
  /** A table with the keys of `change.gone`; see `Keys`. */
  readonly goneTable?: string | undefined;
}

/** Inserts a row for each user of the slice, unless the user has a row of a later position. */
export function insertSlice(dialect: Dialect, slice: SliceToPublish, staged: StagedSlice): string {
  const { table, key, keep, bands, entry, change } = slice;
  const unchanged = isUnchanged(dialect, entry.model.digest);
  const differs = `(earlier.deleted OR fresh.score IS DISTINCT FROM earlier.score OR fresh.reason IS DISTINCT FROM earlier.reason)`;
  const asOf = instant(dialect, change.asOf);
  const merged: Record<string, string> = {
    ...Object.fromEntries(key.map((_, i) => [stagedKey(i), `fresh.${stagedKey(i)}`])),
    ...Object.fromEntries(keep.map((_, i) => [stagedKeep(i), `fresh.${stagedKeep(i)}`])),
    score: `CASE WHEN ${unchanged} THEN earlier.score ELSE fresh.score END`,
    reason: 'fresh.reason',
    [SKIP_KEY]: `CASE WHEN fresh.score IS NOT NULL THEN fresh.${SKIP_KEY} END`,
    run_id: `CASE WHEN ${unchanged} THEN earlier.run_id ELSE ${dialect.literal(entry.runId)} END`,
    scored_at: `CASE WHEN ${unchanged} THEN earlier.scored_at WHEN fresh.score IS NOT NULL THEN fresh.scored_at END`,
    changed_at: `CASE WHEN ${unchanged} THEN earlier.changed_at WHEN earlier.place IS NULL OR ${differs} THEN ${asOf}
      ELSE earlier.changed_at END`,
    previous_score: `CASE WHEN NOT ${unchanged} AND ${differs} THEN COALESCE(earlier.score, earlier.previous_score)
      ELSE earlier.previous_score END`,
  };
  const earlier = selectTable(dialect, table, key, {
    score: scoreOf(table, slice),
    ...Object.fromEntries(
      ['reason', 'deleted', SKIP_KEY, 'run_id', 'scored_at', 'changed_at', 'previous_score', 'model_digest'].map((name) => [
        name,
        name,
      ]),
    ),
    place: 'position',
  });
  const from = `FROM (SELECT ${Object.entries(merged)
    .map(([name, value]) => `${value} AS ${name}`)
    .join(', ')}
    FROM (${selectSlice(dialect, staged)}) fresh LEFT JOIN (${earlier}) earlier ON ${sameKey(key, 'fresh', 'earlier')}
    WHERE (earlier.place IS NULL OR earlier.place < ${positionOf(entry)})) merged WHERE 1 = 1`;
  const values = {
    ...constants(dialect, entry),
    ...Object.fromEntries(key.map(({ name }, i) => [name, stagedKey(i)])),
    ...Object.fromEntries(keep.map(({ name }, i) => [name, stagedKeep(i)])),
    [scoreOf(table, slice)]: 'score',
    band: `CASE WHEN score IS NOT NULL THEN ${bandOf(dialect, { bands, scored: 0 })} END`,
    ...Object.fromEntries(
      ['reason', SKIP_KEY, 'run_id', 'scored_at', 'changed_at', 'previous_score'].map((name) => [name, name]),
    ),
    deleted: 'FALSE',
    position: positionOf(entry),
    as_of: asOf,
  };
  return insert(dialect, table, values, from);
}

/**
 * Statements that insert a tombstone for each user that the query no longer returns, except users of this position, which are
 * in the slice.
 */
export function insertTombstones(dialect: Dialect, slice: SliceToPublish): string[] {
  const { table, key, entry, change, goneTable } = slice;
  const { identifier } = dialect;
  const own = (name: string) => `earlier.${identifier(name)}`;
  const score = scoreOf(table, slice);
  const values: Record<string, string> = {
    ...Object.fromEntries(table.columns.map(({ name }) => [name, own(name)])),
    ...{ [score]: 'NULL', band: 'NULL', reason: 'NULL', [SKIP_KEY]: 'NULL', scored_at: 'NULL' },
    previous_score: `COALESCE(${own(score)}, ${own('previous_score')})`,
    deleted: 'TRUE',
    position: positionOf(entry),
    as_of: instant(dialect, change.asOf),
    changed_at: instant(dialect, change.asOf),
    run_id: dialect.literal(entry.runId),
  };
  const newer = `SELECT 1 FROM (${selectTable(dialect, table, key, { place: 'position' })}) newer
    WHERE newer.place >= ${positionOf(entry)} AND ${key.map(({ name }, i) => `newer.${stagedKey(i)} = ${own(name)}`).join(' AND ')}`;
  const live = `FROM ${dialect.table(table.name)} earlier
    WHERE ${own('deleted')} = FALSE AND ${own('position')} < ${positionOf(entry)} AND NOT EXISTS (${newer})`;
  if (change.whole) return [insert(dialect, table, values, live)];
  const columns = key.map(({ name }) => own(name));
  return keyConditions(dialect, { key, keys: change.gone, keyTable: goneTable }, columns).map((list) =>
    insert(dialect, table, values, `${live} AND ${list}`),
  );
}

/** Deletes rows replaced by those of this position. */
export function deleteReplaced(dialect: Dialect, slice: SliceToPublish): string {
  const { table, entry } = slice;
  return `DELETE FROM ${dialect.table(table.name)} WHERE ${dialect.identifier('position')} < ${positionOf(entry)}
    AND ${isOfSlice(dialect, slice)}`;
}

/**
 * Deletes rejected rows that earlier slices left for the users of this position, so that quarantine has rows of exactly the
 * users with a `reason` in the current table.
 */
export function deleteRejected(dialect: Dialect, quarantine: TableLayout, slice: SliceToPublish): string {
  return `DELETE FROM ${dialect.table(quarantine.name)} WHERE ${isOutdated(dialect, quarantine, slice)}`;
}

/**
 * Condition: the rejected row, without an alias, is from an earlier slice and superseded by this one. A row without a complete
 * key belongs to no user, and slices of changed users do not read it: it stays until all users are read.
 */
export function isOutdated(dialect: Dialect, quarantine: TableLayout, slice: SliceToPublish): string {
  const { entry, change } = slice;
  const earlier = `${inPublication(dialect, quarantine, entry)} AND run_id <> ${dialect.literal(entry.runId)}`;
  return change.whole ? earlier : `${earlier} AND ${isOfSlice(dialect, slice)}`;
}

/** Condition: the row, without an alias, belongs to a user of this position. */
function isOfSlice(dialect: Dialect, { table, key, entry }: SliceToPublish): string {
  const { identifier } = dialect;
  // Not every warehouse allows an alias for the rows to delete, so these names must differ from theirs.
  const prefix = freePrefix(table);
  const names = key.map(({ name }, i) => `${identifier(name)} AS ${prefix}${i}`);
  return `EXISTS (SELECT 1
    FROM (SELECT ${names.join(', ')} FROM ${dialect.table(table.name)} WHERE ${identifier('position')} = ${positionOf(entry)}) newer
    WHERE ${key.map(({ name }, i) => `newer.${prefix}${i} = ${identifier(name)}`).join(' AND ')})`;
}

function freePrefix({ columns }: TableLayout): string {
  let prefix = 'newer_';
  while (columns.some(({ name }) => name.toLowerCase().startsWith(prefix))) prefix += '_';
  return prefix;
}

/** Deletes what an earlier slice copied for the same boundary. */
export function deleteBoundary(dialect: Dialect, boundary: TableLayout, end: string, job: string): string {
  return `DELETE FROM ${dialect.table(boundary.name)} WHERE ${isOfBoundary(dialect, end, job)}`;
}

/** Copies the rows that are not deleted. */
export function insertBoundary(dialect: Dialect, { table, entry }: SliceToPublish, boundary: TableLayout, end: string): string {
  const values = {
    ...Object.fromEntries(boundary.columns.map(({ name }) => [name, dialect.identifier(name)])),
    boundary: instant(dialect, end),
    job: dialect.literal(entry.job),
  };
  return insert(dialect, boundary, values, `FROM ${dialect.table(table.name)} WHERE ${dialect.identifier('deleted')} = FALSE`);
}

/** Condition: the row was copied for this boundary. */
export function isOfBoundary(dialect: Dialect, end: string, job: string): string {
  return `${dialect.identifier('boundary')} = ${instant(dialect, end)} AND job = ${dialect.literal(job)}`;
}

export function positionOf({ publication }: LedgerEntry): string {
  if (publication === undefined) throw new Error('a slice is published without a number');
  return String(publication);
}
