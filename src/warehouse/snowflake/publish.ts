import { randomBytes } from 'node:crypto';
import { checksumOf } from '../../domain/checksum.ts';
import type { Reasons } from '../../domain/reasons.ts';
import { showTableName } from '../../domain/table-name.ts';
import { isRanked } from '../../domain/tables.ts';
import { alteredStaging } from '../altered-staging.ts';
import { incompleteHistory, rolledBackContent } from '../history-errors.ts';
import type { PublicationSpec } from '../publication-spec.ts';
import { clashed, countClashes } from '../sql/clashes.ts';
import { countContent, countStaged, expectedRows, expectedStaged } from '../sql/content.ts';
import { changeCurrent, countNotReplaceable, currentFaults } from '../sql/current-change.ts';
import { countDrift } from '../sql/drift-rows.ts';
import { countSummarized, selectRanked, selectScored } from '../sql/publication.ts';
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
import { explainedUsers, insertReasons, reasonColumns, withReasons } from '../sql/reasons.ts';
import { pinnedRows } from '../sql/tally.ts';
import { comment } from './comment.ts';
import { SNOWFLAKE } from './dialect.ts';
import { doubled } from './doubled.ts';
import { countReplaced, refuseOtherKept } from './kept.ts';
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
  const { entry, key, keep, bands, scored } = spec;
  const holdout = spec.holdout === undefined ? undefined : { share: spec.holdout, stagesText: true };
  const tables = await publicationTables(
    spec,
    (layout) => inAccount(snowflake, layout),
    ({ name }) => tableExists(snowflake, name),
  );
  const lock = lockTable(snowflake, tables.ledger);
  for (const table of [tables.ledger, ...neededTables(tables)]) await ensureTable(snowflake, table);
  await ensureLock(snowflake, lock);
  const staged = counted === undefined || spec.pinned.length === 0 ? undefined : pinnedRows(SNOWFLAKE, counted, spec.pinned);
  const slice = { staged, stagesText: true };
  const ranked = staged && spec.current === undefined ? await rank(snowflake, spec, staged) : undefined;

  return await withPublishLock(snowflake, lock, entry.runId, async (session, { commitUnknown, fence }) => {
    const entries = await readEntries(session, snowflake, tables.ledger, { job: entry.job, near: entry.window });
    const next = nextPublication(entries, spec);
    // If this process's own COMMIT had no answer, it did succeed.
    if (next === undefined) return { commit: false, result: commitUnknown };
    const publication = { ...spec, entry: next.entry };
    const clashes = [
      countClashes(SNOWFLAKE, tables.ledger, [...writtenTables(tables), ...tables.others], spec),
      ...(tables.current ? [countNotReplaceable(SNOWFLAKE, tables, publication)] : []),
    ];
    const [[found] = []] = await session.rows(`SELECT ${clashes.join(' + ')} AS clashes`);
    if (Number(found) > 0) throw clashed(entry);
    const from = `(SELECT * FROM ${ranked} WHERE ${fence}) ranked`;
    const rows =
      staged === undefined || ranked === undefined
        ? undefined
        : { ranked: { from, key, keep, scored, bands, holdout }, staged };
    const replaced = tables.current
      ? changeCurrent(SNOWFLAKE, tables, publication, { ...slice, fence })
      : replaceRows(SNOWFLAKE, tables, publication, { rows, fence });
    const replacing = await countReplaced(session, tables, publication);
    for (const sql of replaced) await session.rows(sql);
    const repeats = await allTrue(session, repeatsReplaced(SNOWFLAKE, tables, publication));
    const made = { ...publication, entry: repeating(publication.entry, spec, repeats) };
    for (const sql of appendEntries(SNOWFLAKE, tables, made, fence)) await session.rows(sql);
    await refuseOther(session, snowflake, publication, tables);
    if (tables.current) await refuseOtherUsers(session, publication, tables, staged);
    await refuseOtherKept(session, tables, publication, replacing);
    const rolledBack = repeatsRolledBack(SNOWFLAKE, tables, publication);
    if (rolledBack !== undefined && (await allTrue(session, [rolledBack]))) throw rolledBackContent(publication);
    for (const sql of trimKept(SNOWFLAKE, tables, publication, { ...next, repeats, fence })) await session.rows(sql);
    return { commit: true, result: true };
  });
}

/** Evaluates one condition after another. @returns whether there are any and all are true */
async function allTrue(session: Session, conditions: readonly string[]): Promise<boolean> {
  for (const condition of conditions) {
    const [[holds] = []] = await session.rows(`SELECT IFF(${condition}, 'yes', 'no') AS holds`);
    if (holds !== 'yes') return false;
  }
  return conditions.length > 0;
}

/**
 * Counts what would be committed. The driver resends a statement whose answer was lost with the same request id, by which
 * Snowflake should detect that it already ran. And another process may have written to the rows since they were counted.
 *
 * @throws ScoreBatchError `unavailable` if a statement ran twice or not at all, `refused` if other rows were written
 */
async function refuseOther(
  session: Session,
  snowflake: Snowflake,
  spec: PublicationSpec,
  written: PublicationTables,
): Promise<void> {
  const { entry } = spec;
  const { ledger, scores, quarantine, report, summary, drift } = written;
  const altered: string[] = [];
  for (const expected of expectedRows(SNOWFLAKE, spec, { scores, quarantine, report })) {
    const [[rows, high, low] = []] = await session.rows(countContent(SNOWFLAKE, expected, entry));
    const table = showTableName(expected.table.name);
    const counted = Number(rows);
    const sameSum = expected.checksum === undefined || checksumOf(high, low) === expected.checksum;
    if (counted === expected.rows && sameSum) continue;
    const twice = expected.rows > 0 && counted === 2 * expected.rows;
    const short = `${table} would have ${rows} of ${expected.rows} rows`;
    if (spec.restored !== undefined && !twice) throw incompleteHistory(spec, short);
    if (twice || (expected.rows > 0 && counted === 0)) throw doubled(`${table} has ${rows} rows, expected ${expected.rows}`);
    altered.push(`${table} would have ${rows} rows where ${expected.rows} were counted, or other values`);
  }
  if (altered.length > 0) throw alteredStaging(altered);
  if (summary !== undefined) {
    const [[users] = []] = await session.rows(countSummarized(SNOWFLAKE, summary, entry));
    const scored = entry.rows?.scored ?? 0;
    if (Number(users) !== scored) throw doubled(`${showTableName(summary.name)} has ${users} users, expected ${scored}`);
  }
  if (drift !== undefined && spec.restored === undefined) {
    const [[rows] = []] = await session.rows(countDrift(SNOWFLAKE, drift, entry));
    const measured = spec.pinned.length === 0 ? 0 : (spec.drift?.features.length ?? 0);
    if (Number(rows) !== measured) throw doubled(`${showTableName(drift.name)} has ${rows} rows, expected ${measured}`);
  }
  const entries = await readEntries(session, snowflake, ledger, { job: entry.job, window: entry.window, runs: [entry.runId] });
  if (entries.filter(({ publication }) => publication === entry.publication).length !== 1)
    throw doubled('the ledger does not have the entry exactly once');
}

/**
 * Counts a slice's effect on the current table; see `refuseOther`. @param staged FROM clause with the rows of the pinned
 * attempts
 */
async function refuseOtherUsers(
  session: Session,
  spec: PublicationSpec,
  tables: PublicationTables,
  staged: string | undefined,
): Promise<void> {
  if (staged !== undefined) {
    const [[rows, high, low] = []] = await session.rows(countStaged(SNOWFLAKE, staged, spec));
    const expected = expectedStaged(spec);
    if (Number(rows) !== expected.rows || checksumOf(high, low) !== expected.checksum)
      throw alteredStaging([`${rows} scored rows are staged where ${expected.rows} were counted, or other values`]);
  }
  const found: string[] = [];
  for (const { what, count } of currentFaults(SNOWFLAKE, tables, spec, { staged, stagesText: true })) {
    const [[rows] = []] = await session.rows(`SELECT CAST(${count} AS VARCHAR) AS faults`);
    if (Number(rows) !== 0) found.push(`${rows} ${what}`);
  }
  if (found.length > 0) throw doubled(found.join('; '));
}

/** Writes the scored rows of the pinned attempts with their ranks to a table of this call's own. @returns its quoted name */
async function rank(snowflake: Snowflake, spec: PublicationSpec, pinned: string): Promise<string> {
  const { entry, key, keep, tables, reasons } = spec;
  const { runId } = entry;
  const explained = reasons && (await writeReasons(snowflake, runId, reasons));
  const ranked = isRanked(tables.scores) ? selectRanked(SNOWFLAKE, pinned, key, keep) : selectScored(pinned, key, keep);
  const table = tableIdentifier(scratchName(snowflake, `ranked_${randomBytes(4).toString('hex')}`, runId));
  await run(
    snowflake,
    `CREATE OR REPLACE TRANSIENT TABLE ${table} DATA_RETENTION_TIME_IN_DAYS = 0 ${comment(snowflake, runId)} AS
     ${reasons ? `SELECT * FROM ${withReasons(SNOWFLAKE, `(${ranked}) ranked`, reasons.features, explained)}` : ranked}`,
    runId,
  );
  return table;
}

/**
 * Writes the reasons to a table of this call's own.
 *
 * @returns its quoted name; undefined if no user has a reason
 * @throws ScoreBatchError `unavailable` if a statement ran twice or not at all
 */
async function writeReasons(snowflake: Snowflake, runId: string, reasons: Reasons): Promise<string | undefined> {
  if (explainedUsers(reasons) === 0) return undefined;
  const table = tableIdentifier(scratchName(snowflake, `reasons_${randomBytes(4).toString('hex')}`, runId));
  await run(
    snowflake,
    `CREATE OR REPLACE TRANSIENT TABLE ${table} ${reasonColumns(SNOWFLAKE, reasons.features)}
     DATA_RETENTION_TIME_IN_DAYS = 0 ${comment(snowflake, runId)}`,
    runId,
  );
  for (const sql of insertReasons(SNOWFLAKE, table, reasons)) await run(snowflake, sql, runId);
  const [[rows] = []] = await run(snowflake, `SELECT CAST(COUNT(*) AS VARCHAR) FROM ${table}`, runId);
  const expected = explainedUsers(reasons);
  if (Number(rows) !== expected) throw doubled(`the table of reasons has ${rows} rows, expected ${expected}`);
  return table;
}
