import { randomBytes } from 'node:crypto';
import { checksumOf } from '../../domain/checksum.ts';
import { currentPublication } from '../../domain/ledger.ts';
import { isSameWindow, nextNumber, supersededEntry } from '../../domain/publications.ts';
import { showTableName } from '../../domain/table-name.ts';
import { isRanked, type TableLayout } from '../../domain/tables.ts';
import { ScoreBatchError } from '../../errors.ts';
import { alteredStaging } from '../altered-staging.ts';
import { clashed, countClashes, refuseOverlap } from '../sql/clashes.ts';
import { countContent, expectedRows } from '../sql/content.ts';
import { insertEntry } from '../sql/ledger.ts';
import {
  countSummarized,
  deleteWindow,
  insertQuarantine,
  insertScores,
  insertSummary,
  selectRanked,
  selectScored,
} from '../sql/publication.ts';
import { pinnedRows } from '../sql/tally.ts';
import { superseded } from '../superseded.ts';
import type { PublicationSpec } from '../warehouse.ts';
import { comment } from './comment.ts';
import { SNOWFLAKE } from './dialect.ts';
import { readEntries } from './ledger.ts';
import { tableIdentifier } from './names.ts';
import { lockTable, withPublishLock } from './publish-lock.ts';
import type { Session } from './session.ts';
import { inAccount, run, type Snowflake, scratchName } from './snowflake.ts';
import { ensureLock, ensureTable, tableExists } from './tables.ts';

/**
 * Publishes in one transaction. Rows are ranked into a table before, to keep the lock short. All tables are created before,
 * because DDL would commit the transaction.
 *
 * @param counted quoted name of the table of staged rows; see `tallyStaged`
 */
export async function publish(snowflake: Snowflake, spec: PublicationSpec, counted: string | undefined): Promise<boolean> {
  const { entry, key, keep, bands, scored, reported, segments } = spec;
  const ledger = inAccount(snowflake, spec.tables.ledger);
  const scores = inAccount(snowflake, spec.tables.scores);
  const quarantine = inAccount(snowflake, spec.tables.quarantine);
  const report = spec.tables.report && inAccount(snowflake, spec.tables.report);
  const summary = spec.tables.summary && inAccount(snowflake, spec.tables.summary);
  const [more, others] = reported ? [[report, summary], []] : [[], [report, summary]];
  const targets = [scores, quarantine, ...more].filter((table) => table !== undefined);
  const lock = lockTable(snowflake, ledger);
  for (const table of [ledger, ...targets]) await ensureTable(snowflake, table);
  await ensureLock(snowflake, lock);
  // The job's grain can have changed: delete what report and summary have of this window, too.
  for (const table of others) if (table && (await tableExists(snowflake, table.name))) targets.push(table);
  const pinned = counted === undefined || spec.pinned.length === 0 ? undefined : pinnedRows(SNOWFLAKE, counted, spec.pinned);
  const ranked = pinned && (await rank(snowflake, spec, pinned));

  return await withPublishLock(snowflake, lock, entry.runId, async (session, { commitUnknown, fence }) => {
    const entries = await readEntries(session, snowflake, ledger, { job: entry.job, near: entry.window });
    const current = currentPublication(entries.filter(({ window }) => isSameWindow(window, entry.window)));
    // If this process's own COMMIT had no answer, it did happen.
    if (current?.runId === entry.runId) return { commit: false, result: commitUnknown };
    if (current?.runId !== spec.supersedes) throw superseded(entry.window.label, current?.runId);
    refuseOverlap(entries, spec);
    const [[clashes] = []] = await session.rows(`SELECT ${countClashes(SNOWFLAKE, ledger, targets, spec)} AS clashes`);
    if (Number(clashes) > 0) throw clashed(entry);
    const numbered = { ...entry, publication: nextNumber(entries, entry.window, spec.overlaps) };
    for (const table of targets) await session.rows(`${deleteWindow(SNOWFLAKE, table, ledger, spec)} AND ${fence}`);
    if (pinned !== undefined) {
      const rows = { from: `(SELECT * FROM ${ranked} WHERE ${fence}) ranked`, key, keep, scored, bands };
      await session.rows(insertScores(SNOWFLAKE, scores, numbered, rows));
      await session.rows(`${insertQuarantine(SNOWFLAKE, quarantine, entry, pinned, key)} AND ${fence}`);
      if (report && reported) await session.rows(insertScores(SNOWFLAKE, report, entry, rows));
      if (summary && reported) await session.rows(insertSummary(SNOWFLAKE, summary, entry, rows, segments));
    }
    for (const one of [...spec.overlaps.map((run) => supersededEntry(run, numbered)), numbered])
      await session.rows(`${insertEntry(SNOWFLAKE, ledger, one)} HAVING ${fence}`);
    await refuseOther(
      session,
      snowflake,
      { ...spec, entry: numbered },
      {
        ledger,
        scores,
        quarantine,
        report: reported ? report : undefined,
        summary: reported ? summary : undefined,
      },
    );
    return { commit: true, result: true };
  });
}

interface Written {
  readonly ledger: TableLayout;
  readonly scores: TableLayout;
  readonly quarantine: TableLayout;
  /** Report and summary where the window is theirs. */
  readonly report: TableLayout | undefined;
  readonly summary: TableLayout | undefined;
}

/**
 * Counts what would be committed. The driver resends a statement whose answer was lost with the same request id, by which
 * Snowflake should detect that it already ran. And another process may have written to the rows that were counted before.
 *
 * @throws ScoreBatchError `unavailable` if a statement ran twice or not at all, `refused` if other rows were written
 */
async function refuseOther(session: Session, snowflake: Snowflake, spec: PublicationSpec, written: Written): Promise<void> {
  const { entry } = spec;
  const { ledger, scores, quarantine, report, summary } = written;
  const altered: string[] = [];
  for (const expected of expectedRows(SNOWFLAKE, spec, { scores, quarantine, report })) {
    const [[rows, high, low] = []] = await session.rows(countContent(SNOWFLAKE, expected.table, entry, expected.hash));
    const table = showTableName(expected.table.name);
    const counted = Number(rows);
    if (counted === expected.rows && checksumOf(high, low) === expected.checksum) continue;
    const ranTwice = expected.rows > 0 && (counted === 0 || counted === 2 * expected.rows);
    if (ranTwice) throw doubled(`${table} has ${rows} rows, expected ${expected.rows}`);
    altered.push(`${table} would have ${rows} rows where ${expected.rows} were counted, or other values`);
  }
  if (altered.length > 0) throw alteredStaging(altered);
  if (summary !== undefined) {
    const [[users] = []] = await session.rows(countSummarized(SNOWFLAKE, summary, entry));
    const scored = entry.rows?.scored ?? 0;
    if (Number(users) !== scored) throw doubled(`${showTableName(summary.name)} has ${users} users, expected ${scored}`);
  }
  const entries = await readEntries(session, snowflake, ledger, { job: entry.job, window: entry.window, runs: [entry.runId] });
  if (entries.filter(({ state }) => state === 'published').length !== 1)
    throw doubled('the ledger does not have the entry exactly once');
}

function doubled(what: string): ScoreBatchError {
  return new ScoreBatchError('unavailable', 'the publication was rolled back: one of its statements ran twice or not at all', {
    details: [what],
    hint: 'the connection to Snowflake may be unreliable; run the same command again: it resumes from the staged chunks',
  });
}

/** Writes the scored rows of the pinned attempts with their ranks to a table of this call's own. @returns its quoted name */
async function rank(snowflake: Snowflake, { entry, key, keep, tables }: PublicationSpec, pinned: string): Promise<string> {
  const { runId } = entry;
  const table = tableIdentifier(scratchName(snowflake, `ranked_${randomBytes(4).toString('hex')}`, runId));
  await run(
    snowflake,
    `CREATE OR REPLACE TRANSIENT TABLE ${table} DATA_RETENTION_TIME_IN_DAYS = 0 ${comment(snowflake, runId)} AS
     ${isRanked(tables) ? selectRanked(SNOWFLAKE, pinned, key, keep) : selectScored(pinned, key, keep)}`,
    runId,
  );
  return table;
}
