import { currentPublication } from '../../domain/ledger.ts';
import { isSameWindow, nextNumber, supersededEntry } from '../../domain/publications.ts';
import { isRanked } from '../../domain/tables.ts';
import type { Database } from '../../duckdb/database.ts';
import { clashed, countClashes, refuseOverlap } from '../sql/clashes.ts';
import { insertEntry } from '../sql/ledger.ts';
import { deleteWindow, insertQuarantine, insertScores, insertSummary, selectScored } from '../sql/publication.ts';
import { superseded } from '../superseded.ts';
import type { PublicationSpec } from '../warehouse.ts';
import { DUCKDB } from './dialect.ts';
import { type DuckdbFile, withFile } from './file.ts';
import { readEntries } from './ledger.ts';
import { rankRows } from './ranked-rows.ts';
import { makeRoom } from './room.ts';
import { openStaged } from './staged-rows.ts';
import { stagedWidth } from './staged-width.ts';
import { refuseAlteredStaging, stagingFolder } from './staging.ts';
import { createTable, inCatalog, tableExists } from './tables.ts';

/**
 * Publishes in one transaction. The publish lock is the lock of the file: only one process can open it for writing, so no
 * other process publishes between reading the ledger and the commit. Rows are ranked into files first, to keep the lock
 * short.
 */
export async function publish(file: DuckdbFile, spec: PublicationSpec): Promise<boolean> {
  const { entry, tables, key, keep, bands, scored } = spec;
  const staging = stagingFolder(file, entry.runId);
  const ranked = spec.pinned.length > 0 && isRanked(tables) ? await rankRows(file, spec, staging) : undefined;
  return await withFile(file, 'write', async (database) => {
    using staged = await openStaged(database, staging, spec.pinned);
    const rows = { from: ranked ?? `(${selectScored(staged.all, key, keep)}) AS scored`, key, keep, scored, bands };
    if (staged.files.length > 0) await makeRoom(database, file, (await stagedWidth(database, staged.files)).group);
    return await transaction(database, async () => {
      const ledger = inCatalog(database, tables.ledger);
      const scores = inCatalog(database, tables.scores);
      const quarantine = inCatalog(database, tables.quarantine);
      const report = tables.report && inCatalog(database, tables.report);
      const summary = tables.summary && inCatalog(database, tables.summary);
      const [more, others] = spec.reported ? [[report, summary], []] : [[], [report, summary]];
      const targets = [scores, quarantine, ...more].filter((table) => table !== undefined);
      for (const table of [ledger, ...targets]) await createTable(database, table);
      const entries = await readEntries(database, ledger, { job: entry.job, near: entry.window });
      const current = currentPublication(entries.filter(({ window }) => isSameWindow(window, entry.window)));
      if (current?.runId === entry.runId) return false;
      if (current?.runId !== spec.supersedes) throw superseded(entry.window.label, current?.runId);
      refuseOverlap(entries, spec);
      const [[clashes] = []] = await database.rows(`SELECT ${countClashes(DUCKDB, ledger, targets, spec)}`);
      if (Number(clashes) > 0) throw clashed(entry);
      const numbered = { ...entry, publication: nextNumber(entries, entry.window, spec.overlaps) };
      for (const table of targets) await database.run(deleteWindow(DUCKDB, table, ledger, spec));
      // The job's grain can have changed: delete what report and summary have of this window, too.
      for (const table of others) {
        if (table && (await tableExists(database, table.name))) await database.run(deleteWindow(DUCKDB, table, ledger, spec));
      }
      if (staged.files.length > 0) {
        // The ranked file is in rank order and a thread inserts whole row groups of it, so a range of ranks still touches
        // few row groups. Preserving the order exactly would take a single thread, or twice the work if memory is small.
        await database.run('SET preserve_insertion_order = false');
        await database.run(insertScores(DUCKDB, scores, numbered, rows));
        await database.run(insertQuarantine(DUCKDB, quarantine, entry, staged.rejected, key));
        if (report && spec.reported) await database.run(insertScores(DUCKDB, report, entry, rows));
        if (summary && spec.reported) await database.run(insertSummary(DUCKDB, summary, entry, rows, spec.segments));
      }
      await refuseAlteredStaging(file, entry.runId, spec.pinned);
      for (const run of spec.overlaps) await database.run(insertEntry(DUCKDB, ledger, supersededEntry(run, numbered)));
      await database.run(insertEntry(DUCKDB, ledger, numbered));
      return true;
    });
  });
}

async function transaction<T>(database: Database, work: () => Promise<T>): Promise<T> {
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
