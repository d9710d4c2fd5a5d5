import { stagedKey } from '../../domain/staged-columns.ts';
import { showTableName } from '../../domain/table-name.ts';
import type { TableLayout } from '../../domain/tables.ts';
import type { Dialect } from '../dialect.ts';
import type { PublicationSpec } from '../publication-spec.ts';
import {
  deleteBoundary,
  deleteRejected,
  deleteReplaced,
  insertBoundary,
  insertSlice,
  insertTombstones,
  isOfBoundary,
  isOutdated,
  positionOf,
  type SliceToPublish,
} from './current.ts';
import { keyConditions, sameKey, selectSlice, selectTable } from './current-rows.ts';
import { insertQuarantine } from './publication.ts';
import type { PublicationTables } from './publishing.ts';

// What publishing a slice does, and what must hold afterwards. Takes the place of `replaceRows`, because a slice replaces rows
// of users instead of a window's.

export interface SliceRows {
  /** FROM clause with the rows of the pinned attempts; undefined for a slice without rows. */
  readonly staged: string | undefined;
  /** Whether the sink `stagesText`. */
  readonly stagesText: boolean;
  /** A table with the keys that are gone; see `Keys`. */
  readonly goneTable?: string | undefined;
  /** Condition without which no row changes. */
  readonly fence?: string;
}

/** Statements that change the current table, and replace the rejected rows of its users. @param spec with the publication number in its entry */
export function changeCurrent(
  dialect: Dialect,
  tables: PublicationTables,
  spec: PublicationSpec,
  { staged, stagesText, goneTable, fence }: SliceRows,
): string[] {
  const slice = { ...sliceOf(tables, spec), goneTable };
  const { quarantine, boundary } = tables;
  const { entry, key, keep } = spec;
  const statements = [
    ...(staged === undefined
      ? []
      : [
          insertQuarantine(dialect, quarantine, entry, { staged, key }),
          insertSlice(dialect, slice, { staged, key, keep, stagesText }),
        ]),
    ...insertTombstones(dialect, slice),
    deleteReplaced(dialect, slice),
    deleteRejected(dialect, quarantine, slice),
    ...(boundary === undefined
      ? []
      : [
          deleteBoundary(dialect, boundary.table, boundary.end, entry.job),
          insertBoundary(dialect, slice, boundary.table, boundary.end),
        ]),
  ];
  return fence === undefined ? statements : statements.map((statement) => `${statement} AND ${fence}`);
}

/**
 * Expression for the number of rows in the current table that the slice must not replace: those of another job or of a later
 * position.
 */
export function countNotReplaceable(dialect: Dialect, { scores }: PublicationTables, { entry }: PublicationSpec): string {
  return `(SELECT COUNT(*) FROM ${dialect.table(scores.name)}
    WHERE job <> ${dialect.literal(entry.job)} OR ${dialect.identifier('position')} >= ${positionOf(entry)})`;
}

/** Something that must not occur after a slice has changed the current table. */
export interface Fault {
  /** Phrase to follow a number: `users of the slice are not in marketing.current`. */
  readonly what: string;
  /** Expression for the number of such rows, 0 if all is well. */
  readonly count: string;
}

/**
 * Checks that the statements of `changeCurrent` ran once, on the rows that were counted. @param spec with the publication
 * number in its entry
 */
export function currentFaults(
  dialect: Dialect,
  tables: PublicationTables,
  spec: PublicationSpec,
  { staged, stagesText, goneTable }: Omit<SliceRows, 'fence'>,
): Fault[] {
  const slice = sliceOf(tables, spec);
  const { table, change } = slice;
  const { quarantine } = tables;
  const { entry, key, keep } = spec;
  const name = showTableName(table.name);
  const { identifier } = dialect;
  const keys = key.map((_, i) => stagedKey(i)).join(', ');
  const [position, deleted] = [identifier('position'), identifier('deleted')];
  const countOf = (condition: string, of: TableLayout = table) =>
    `(SELECT COUNT(*) FROM ${dialect.table(of.name)} present WHERE ${condition})`;
  const now = `${position} = ${positionOf(entry)}`;
  const users =
    staged === undefined
      ? '0'
      : `(SELECT COUNT(*) FROM (SELECT DISTINCT ${keys} FROM (${selectSlice(dialect, { staged, key, keep, stagesText })}) fresh) users)`;
  const rows = selectTable(dialect, table, key, { place: 'position' });
  // Group only users of this position, because they are few and the table can be large.
  const twice = `(SELECT COUNT(*) FROM (SELECT ${keys} FROM (${rows}) placed
    WHERE EXISTS (SELECT 1 FROM (${rows}) newest WHERE newest.place = ${positionOf(entry)} AND ${sameKey(key, 'newest', 'placed')})
    GROUP BY ${keys} HAVING COUNT(*) > 1) repeated)`;
  const alive = `${deleted} = FALSE AND ${position} < ${positionOf(entry)}`;
  const columns = key.map((column) => `present.${identifier(column.name)}`);
  return [
    {
      what: `users of the slice are missing from ${name}, or present without being staged`,
      count: `${countOf(`${now} AND ${deleted} = FALSE`)} - ${users}`,
    },
    { what: `users of the slice occur several times in ${name}`, count: twice },
    ...(change.whole ? [{ what: `users of ${name} are no longer in the query, but not deleted`, count: countOf(alive) }] : []),
    ...(change.whole ? [] : keyConditions(dialect, { key, keys: change.gone, keyTable: goneTable }, columns)).map((list) => ({
      what: `users of ${name} are gone, but not deleted`,
      count: countOf(`${alive} AND ${list}`),
    })),
    {
      what: `rows of ${showTableName(quarantine.name)} belong to users whom the slice has read, but are not deleted`,
      count: `(SELECT COUNT(*) FROM ${dialect.table(quarantine.name)} WHERE ${isOutdated(dialect, quarantine, slice)})`,
    },
    ...(tables.boundary === undefined
      ? []
      : [
          {
            what: `rows of ${name} are not copied once to ${showTableName(tables.boundary.table.name)}`,
            count: `${countOf(isOfBoundary(dialect, tables.boundary.end, entry.job), tables.boundary.table)} - ${countOf(`${deleted} = FALSE`)}`,
          },
        ]),
  ];
}

/** @throws Error if the publication is not that of a slice */
function sliceOf({ scores }: PublicationTables, { current, ...spec }: PublicationSpec): SliceToPublish {
  if (current === undefined) throw new Error('the publication is not that of a slice');
  return { ...spec, table: scores, change: current };
}
