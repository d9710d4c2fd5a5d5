import type { Reasons } from '../../domain/reasons.ts';
import { showTableName } from '../../domain/table-name.ts';
import { isRanked } from '../../domain/tables.ts';
import type { Database } from '../../duckdb/database.ts';
import { alteredCurrent } from '../altered-current.ts';
import { incompleteHistory, rolledBackContent } from '../history-errors.ts';
import type { PublicationSpec } from '../publication-spec.ts';
import { clashed, countClashes } from '../sql/clashes.ts';
import { countContent, expectedRows } from '../sql/content.ts';
import { changeCurrent, countNotReplaceable, currentFaults, type Fault } from '../sql/current-change.ts';
import { selectScored } from '../sql/publication.ts';
import {
  appendEntries,
  neededTables,
  nextPublication,
  type PublicationTables,
  publicationTables,
  repeating,
  repeatsReplaced,
  repeatsRolledBack,
  replaceRows,
  trimKept,
  writtenTables,
} from '../sql/publishing.ts';
import { insertReasons, reasonColumns, withReasons } from '../sql/reasons.ts';
import { DUCKDB } from './dialect.ts';
import { type DuckdbFile, withFile } from './file.ts';
import { readEntries } from './ledger.ts';
import { rankRows } from './ranked-rows.ts';
import { makeRoom } from './room.ts';
import { openStaged } from './staged-rows.ts';
import { stagedWidth } from './staged-width.ts';
import { refuseAlteredStaging, stagingFolder } from './staging.ts';
import { createTable, inCatalog, tableExists } from './tables.ts';

const REASONS = 'score_batch_reasons';

/**
 * Publishes in one transaction. The publish lock is the lock of the file: only one process can open it for writing, so no
 * other process publishes between reading the ledger and the commit. Rows are ranked into files first, to keep the lock
 * short.
 */
export async function publish(file: DuckdbFile, spec: PublicationSpec): Promise<boolean> {
  const { entry, key, keep, bands, scored, reasons } = spec;
  const holdout = spec.holdout === undefined ? undefined : { share: spec.holdout, stagesText: false };
  const staging = stagingFolder(file, entry.runId);
  const ranks = spec.pinned.length > 0 && spec.current === undefined && isRanked(spec.tables.scores);
  const sorted = ranks ? await rankRows(file, spec, staging) : undefined;
  return await withFile(file, 'write', async (database) => {
    using staged = await openStaged(database, staging, spec.pinned);
    const ranked = sorted ?? `(${selectScored(staged.all, key, keep)}) AS scored`;
    const from = reasons ? withReasons(DUCKDB, ranked, reasons.features, await writeReasons(database, reasons)) : ranked;
    const rows = { ranked: { from, key, keep, scored, bands, holdout }, staged: staged.rejected };
    const hasRows = staged.files.length > 0;
    const slice = { staged: hasRows ? staged.all : undefined, stagesText: false };
    if (hasRows) await makeRoom(database, file, (await stagedWidth(database, staged.files)).group);
    return await transaction(database, async () => {
      const tables = await publicationTables(
        spec,
        (layout) => inCatalog(database, layout),
        ({ name }) => tableExists(database, name),
      );
      const written = writtenTables(tables);
      for (const table of [tables.ledger, ...neededTables(tables)]) await createTable(database, table);
      const next = nextPublication(await readEntries(database, tables.ledger, { job: entry.job, near: entry.window }), spec);
      if (next === undefined) return false;
      const publication = { ...spec, entry: next.entry };
      const clashes = [
        countClashes(DUCKDB, tables.ledger, written, spec),
        ...(tables.current ? [countNotReplaceable(DUCKDB, tables, publication)] : []),
      ];
      const [[found] = []] = await database.rows(`SELECT ${clashes.join(' + ')}`);
      if (Number(found) > 0) throw clashed(entry);
      // The ranked file is in rank order and a thread inserts whole row groups of it, so a range of ranks still touches few row
      // groups. Preserving the order exactly would take a single thread, or twice the work if memory is small.
      if (hasRows) await database.run('SET preserve_insertion_order = false');
      const changes = tables.current
        ? changeCurrent(DUCKDB, tables, publication, slice)
        : replaceRows(DUCKDB, tables, publication, { rows: hasRows ? rows : undefined });
      for (const sql of changes) await database.run(sql);
      if (tables.current) await refuseFaults(database, currentFaults(DUCKDB, tables, publication, slice));
      if (spec.restored === undefined) await refuseAlteredStaging(file, entry.runId, spec.pinned);
      else await refuseIncomplete(database, tables, publication);
      const rolledBack = repeatsRolledBack(DUCKDB, tables, publication);
      if (rolledBack !== undefined && (await allTrue(database, [rolledBack]))) throw rolledBackContent(publication);
      const repeats = await allTrue(database, repeatsReplaced(DUCKDB, tables, publication));
      for (const sql of trimKept(DUCKDB, tables, publication, { ...next, repeats })) await database.run(sql);
      for (const sql of appendEntries(DUCKDB, tables, { ...publication, entry: repeating(publication.entry, spec, repeats) }))
        await database.run(sql);
      return true;
    });
  });
}

/** Evaluates one condition after another. @returns whether there are any and all are true */
async function allTrue(database: Database, conditions: readonly string[]): Promise<boolean> {
  for (const condition of conditions) {
    const [[holds] = []] = await database.rows(`SELECT ${condition}`);
    if (holds !== true) return false;
  }
  return conditions.length > 0;
}

/** @throws ScoreBatchError `refused` if kept rows are missing */
async function refuseIncomplete(database: Database, tables: PublicationTables, spec: PublicationSpec): Promise<void> {
  for (const expected of expectedRows(DUCKDB, spec, tables)) {
    const [[found] = []] = await database.rows(countContent(DUCKDB, expected, spec.entry));
    if (Number(found) !== expected.rows)
      throw incompleteHistory(spec, `${showTableName(expected.table.name)} would have ${found} of ${expected.rows} rows`);
  }
}

/** @throws ScoreBatchError `refused` if the current table has not become what it should be */
async function refuseFaults(database: Database, faults: readonly Fault[]): Promise<void> {
  const [counts = []] = await database.rows(`SELECT ${faults.map(({ count }) => count).join(', ')}`);
  const found = faults.flatMap(({ what }, i) => (Number(counts[i]) === 0 ? [] : [`${counts[i]} ${what}`]));
  if (found.length > 0) throw alteredCurrent(found);
}

/** @returns name of a temporary table; undefined if no user has a reason */
async function writeReasons(database: Database, reasons: Reasons): Promise<string | undefined> {
  const statements = insertReasons(DUCKDB, REASONS, reasons);
  if (statements.length === 0) return undefined;
  await database.run(`CREATE TEMP TABLE ${REASONS} ${reasonColumns(DUCKDB, reasons.features)}`);
  for (const sql of statements) await database.run(sql);
  return REASONS;
}

export async function transaction<T>(database: Database, work: () => Promise<T>): Promise<T> {
  await database.run('BEGIN TRANSACTION');
  try {
    const result = await work();
    await database.run('COMMIT');
    return result;
  } catch (error) {
    // The failed statement may have ended the transaction already; report the first error.
    await database.run('ROLLBACK').catch(() => undefined);
    throw error;
  }
}
