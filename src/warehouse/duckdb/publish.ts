import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { currentPublication } from '../../domain/ledger.ts';
import type { Database } from '../../duckdb/database.ts';
import { ScoreBatchError } from '../../errors.ts';
import type { PublicationSpec } from '../warehouse.ts';
import { type DuckdbFile, withFile, withMemory } from './file.ts';
import { insertEntry, readEntries } from './ledger.ts';
import { deleteWindow, insertQuarantine, insertScores, insertSummary, writeRanked } from './publish-sql.ts';
import { runFolder } from './scratch.ts';
import { stagedFile } from './staging.ts';
import { createTable, inCatalog } from './tables.ts';

/**
 * Publishes in one transaction. DuckDB's gate is the lock of the file: one process can have it open for writing, so nobody
 * publishes between the look at the ledger and the commit. Rows are ranked into a file first, to hold the lock briefly.
 */
export async function publish(file: DuckdbFile, spec: PublicationSpec): Promise<void> {
  const { entry, tables, key, keep, bands, scored } = spec;
  const staged = spec.pinned.map((attempt) => stagedFile(file, entry.runId, attempt));
  const ranked = path.join(runFolder(file, entry.runId), `ranked-${randomBytes(4).toString('hex')}.parquet`);
  if (staged.length > 0) {
    await withMemory(file, (database) => database.run(writeRanked(staged, key, ranked)));
  }
  const rows = { file: ranked, key, keep, scored, bands };
  await withFile(file, 'write', (database) =>
    transaction(database, async () => {
      const ledger = inCatalog(database, tables.ledger);
      const scores = inCatalog(database, tables.scores);
      const quarantine = inCatalog(database, tables.quarantine);
      const report = spec.reported && tables.report ? inCatalog(database, tables.report) : undefined;
      const summary = spec.reported && tables.summary ? inCatalog(database, tables.summary) : undefined;
      const targets = [scores, quarantine, report, summary].filter((table) => table !== undefined);
      for (const table of [ledger, ...targets]) await createTable(database, table);
      const current = currentPublication(await readEntries(database, ledger, { job: entry.job, window: entry.window }));
      if (current?.runId === entry.runId) return;
      if (current?.runId !== spec.supersedes) throw superseded(entry.window.label, current?.runId);
      for (const table of targets) await database.run(deleteWindow(table, entry));
      if (staged.length > 0) {
        // Rows go in by rank, so that reading the report by ranges of ranks touches few blocks.
        await database.run(insertScores(scores, entry, rows));
        await database.run(insertQuarantine(quarantine, entry, staged, key));
        if (report) await database.run(insertScores(report, entry, rows));
        if (summary) await database.run(insertSummary(summary, entry, rows, spec.segments));
      }
      await insertEntry(database, ledger, { ...entry, publication: (current?.number ?? 0) + 1 });
    }),
  );
}

async function transaction(database: Database, work: () => Promise<void>): Promise<void> {
  await database.run('BEGIN TRANSACTION');
  try {
    await work();
    await database.run('COMMIT');
  } catch (error) {
    // A statement that failed may have ended the transaction already; what counts is the first error.
    await database.run('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

function superseded(label: string, runId: string | undefined): ScoreBatchError {
  return new ScoreBatchError('conflict', `another run (${runId ?? 'unknown'}) published ${label} meanwhile`, {
    hint: 'look at `score-batch status`; start again to publish over it',
  });
}
