import { randomBytes } from 'node:crypto';
import { checksumOf, HALF } from '../../domain/checksum.ts';
import { currentPublication } from '../../domain/ledger.ts';
import { showTableName } from '../../domain/table-name.ts';
import { isRanked, type TableLayout } from '../../domain/tables.ts';
import { ScoreBatchError } from '../../errors.ts';
import { alteredCurrent } from '../altered-current.ts';
import { alteredStaging } from '../altered-staging.ts';
import { incompleteHistory, rolledBackContent } from '../history-errors.ts';
import type { PublicationSpec } from '../publication-spec.ts';
import { clashed, countClashes, countNear } from '../sql/clashes.ts';
import { countContent, countStaged, type ExpectedRows, expectedRows, expectedStaged } from '../sql/content.ts';
import { changeCurrent, countNotReplaceable, currentFaults, type SliceRows } from '../sql/current-change.ts';
import { publishedNumber, publishedRun } from '../sql/ledger.ts';
import { selectRanked, selectScored } from '../sql/publication.ts';
import {
  appendEntries,
  nextPublication,
  type PublicationTables,
  publicationTables,
  repeating,
  repeatsRolledBack,
  replaceRows,
  type Trimming,
  trimKept,
  writtenTables,
} from '../sql/publishing.ts';
import { explainedUsers, insertReasons, reasonColumns, withReasons } from '../sql/reasons.ts';
import { pinnedRows } from '../sql/tally.ts';
import { superseded } from '../superseded.ts';
import type { Connection } from './connection.ts';
import { BIGQUERY } from './dialect.ts';
import { writeGone } from './gone-keys.ts';
import { runJobAs, sendQuery, submitUnlessThere } from './jobs.ts';
import { readEntries } from './ledger.ts';
import { digest, type FullName, partsOf } from './names.ts';
import { createLock, lockTable, takeLock } from './publish-lock.ts';
import { queryJob, rows as queryRows, run } from './query.ts';
import { dropTable } from './rest-tables.ts';
import { scratchClause, scratchName, scratchTable } from './scratch.ts';
import { refusalOf, refuseUnless, transaction } from './script.ts';
import type { Job } from './shapes.ts';
import { createLayout, inProject, layoutExists } from './tables.ts';

/** No run id starts with these. */
const ALTERED = 'other rows: ';
const FAULT = 'other users: ';

/**
 * Publishes with one script job, which is one transaction. It keeps running if this process dies. Its id leads back to it,
 * so nothing is published twice. Tables are created and rows are ranked before: a transaction cannot create tables, and must
 * be short.
 */
export async function publish(connection: Connection, spec: PublicationSpec): Promise<boolean> {
  const { entry } = spec;
  const targets = await createTargets(connection, spec);
  const entries = await readEntries(connection, targets.ledger, { job: entry.job, near: entry.window });
  // The script checks that nothing near this window was published since, so this number is still right when it commits.
  const next = nextPublication(entries, spec);
  if (next === undefined) return false;
  const near = entries.filter(({ publication }) => publication !== undefined).length;
  const hasRows = spec.pinned.length > 0;
  const reasons = hasRows ? await writeReasons(connection, spec) : undefined;
  const ranks = hasRows && spec.current === undefined;
  if (ranks) await run(connection, writeRanked(connection, spec, reasons), { runId: entry.runId });
  if (reasons !== undefined) await dropTable(connection, reasons).catch(() => undefined);
  const gone = await writeGone(connection, spec);
  const repeats = await repeatsContent(connection, spec, targets);
  const publication = { ...spec, entry: repeating(next.entry, spec, repeats) };
  const script = transaction(statementsOf(connection, publication, targets, { near, keep: next.keep, repeats, gone }));
  const mine = await publishOnce(connection, publication, targets.ledger, script);
  // The tables expire if they cannot be dropped.
  if (gone !== undefined) await dropTable(connection, gone).catch(() => undefined);
  if (ranks) await dropTable(connection, scratchTable(connection, 'ranked', rankedId(spec))).catch(() => undefined);
  return mine;
}

/**
 * Whether the publication to be replaced has the same content as this one. Published content is immutable, and the script
 * checks that nothing was published since, so this can be checked beforehand.
 */
async function repeatsContent(connection: Connection, spec: PublicationSpec, targets: PublicationTables): Promise<boolean> {
  const { supersedes, restored, history } = spec;
  if (supersedes === undefined || restored !== undefined || history === 0) return false;
  const published = { ...spec.entry, publication: supersedes.number };
  const { scores, quarantine } = targets;
  for (const expected of expectedRows(BIGQUERY, spec, { scores, quarantine, report: undefined })) {
    const [[found, high, low] = []] = await queryRows(connection, countContent(BIGQUERY, expected, published));
    if (Number(found) !== expected.rows || checksumOf(high, low) !== expected.checksum) return false;
  }
  return true;
}

/** Skips up to this many finished jobs that have the publication's id but did not publish it. */
const MAX_JOBS = 5;

/** @returns false if another process of the run has published */
async function publishOnce(
  connection: Connection,
  spec: PublicationSpec,
  ledger: TableLayout,
  script: string,
): Promise<boolean> {
  const { entry } = spec;
  // Identifies this process's job after a lost answer.
  const process = randomBytes(8).toString('hex');
  const job = queryJob(connection, script, { runId: entry.runId });
  const configuration = { ...job, labels: { ...(job.labels as Record<string, string>), process } };
  const id = `score_batch_publish_${digest(...ledger.name, entry.job, entry.runId, String(entry.publication))}`;
  for (let n = 0; n < MAX_JOBS; n += 1) {
    try {
      const { job: done, found } = await runJobAs(connection, n === 0 ? id : `${id}_again${n}`, (jobId) =>
        submitUnlessThere(connection, jobId, (as) => sendQuery(connection, as, configuration)),
      );
      if (ownerOf(done) === undefined ? !found : ownerOf(done) === process) return true;
    } catch (error) {
      const published = refusalOf(error);
      if (published === undefined) throw error;
      if (published.startsWith(FAULT)) throw alteredCurrent([published.slice(FAULT.length)]);
      const altered = alteredBy(published);
      if (altered !== undefined && spec.restored !== undefined)
        throw incompleteHistory(spec, `${altered} would not have all rows`);
      if (altered !== undefined) throw alteredStaging([`${altered} would not have the rows that were counted`]);
      if (published === REPEATED) throw rolledBackContent(spec);
      if (published === entry.runId) return false;
      if (published === CLASH) throw clashed(entry);
      throw superseded(entry.window.label, published);
    }
    // Another process's job has finished. Only the ledger shows whether it published this run: the ledger may have been
    // dropped since.
    const current = currentPublication(await readEntries(connection, ledger, { job: entry.job, window: entry.window }));
    if (current?.runId === entry.runId) return false;
  }
  throw new ScoreBatchError('unavailable', `${MAX_JOBS} BigQuery jobs ${id} finished, but none published the run`, {
    hint: 'run the same command again with --fresh: a new run uses new job ids',
  });
}

/** The script's refusal for rows that were rolled back. */
const REPEATED = 'rolled back';

/** The script's refusal for a conflict other than the window's own publication. Not a run id, which has no spaces. */
const CLASH = 'a clash';

function ownerOf(job: Job): string | undefined {
  return job.configuration?.labels?.process;
}

async function createTargets(connection: Connection, spec: PublicationSpec): Promise<PublicationTables> {
  const targets = await publicationTables(
    spec,
    (layout) => inProject(connection, layout),
    (table) => layoutExists(connection, table),
  );
  const { ledger, scores, quarantine, report, summary, drift, boundary } = targets;
  const keyNames = spec.key.map(({ name }) => name);
  await createLayout(connection, ledger, ['job']);
  await createLock(connection, ledger);
  for (const table of [scores, quarantine, ...(report ? [report] : []), ...(boundary ? [boundary.table] : [])])
    await createLayout(connection, table, keyNames);
  if (summary) await createLayout(connection, summary, ['segment', 'segment_value']);
  if (drift) await createLayout(connection, drift, ['feature']);
  for (const { kept } of targets.kept) await createLayout(connection, kept, ['replaced_job', 'replaced_publication']);
  return targets;
}

/**
 * Writes the scored rows of the pinned attempts with their ranks. The name is a digest of the content, so two processes
 * write the same.
 */
function writeRanked(connection: Connection, spec: PublicationSpec, reasons: FullName | undefined): string {
  const { entry, pinned, key, keep, tables } = spec;
  const table = reasons && BIGQUERY.table(partsOf(reasons));
  const explained = (sql: string) =>
    spec.reasons === undefined
      ? sql
      : `SELECT * FROM ${withReasons(BIGQUERY, `(${sql}) ranked`, spec.reasons.features, table)}`;
  const staged = pinnedRows(BIGQUERY, scratchName(connection, 'staged', entry.runId), pinned);
  return `CREATE OR REPLACE TABLE ${scratchName(connection, 'ranked', rankedId(spec))} ${scratchClause(connection, entry.runId)}
    AS ${explained(isRanked(tables.scores) ? selectRanked(BIGQUERY, staged, key, keep) : selectScored(staged, key, keep))}`;
}

/**
 * Writes the reasons to a table of this call's own.
 *
 * @returns the table; undefined if no user has a reason
 */
async function writeReasons(connection: Connection, { entry, reasons }: PublicationSpec): Promise<FullName | undefined> {
  if (reasons === undefined || explainedUsers(reasons) === 0) return undefined;
  const id = digest(entry.runId, randomBytes(8).toString('hex'));
  const name = scratchName(connection, 'reasons', id);
  const options = { runId: entry.runId };
  await run(
    connection,
    `CREATE TABLE ${name} ${reasonColumns(BIGQUERY, reasons.features)} ${scratchClause(connection, entry.runId)}`,
    options,
  );
  for (const sql of insertReasons(BIGQUERY, name, reasons)) await run(connection, sql, options);
  return scratchTable(connection, 'reasons', id);
}

function rankedId({ entry, pinned }: PublicationSpec): string {
  return digest(entry.runId, ...pinned.map(({ attempt }) => attempt));
}

/** @param near number of publications near the window when the publication number was chosen */
function statementsOf(
  connection: Connection,
  spec: PublicationSpec,
  targets: PublicationTables,
  { near, gone, ...trimming }: Trimming & { readonly near: number; readonly gone: FullName | undefined },
): string[] {
  const { entry, supersedes, pinned, key, keep, bands, scored } = spec;
  const holdout = spec.holdout === undefined ? undefined : { share: spec.holdout, stagesText: true };
  const { ledger, scores, quarantine, report, others } = targets;
  const { literal } = BIGQUERY;
  const published = `COALESCE(${publishedRun(BIGQUERY, ledger, entry)}, '')`;
  const clashes = [
    countClashes(BIGQUERY, ledger, [...writtenTables(targets), ...others], spec),
    ...(targets.current ? [countNotReplaceable(BIGQUERY, targets, spec)] : []),
  ].join(' + ');
  const repeats = repeatsRolledBack(BIGQUERY, targets, spec);
  const staged = pinnedRows(BIGQUERY, scratchName(connection, 'staged', entry.runId), pinned);
  const goneTable = gone && BIGQUERY.table(partsOf(gone));
  const slice = { staged: pinned.length > 0 ? staged : undefined, stagesText: true, goneTable };
  const rows = {
    ranked: { from: `${scratchName(connection, 'ranked', rankedId(spec))} ranked`, key, keep, scored, bands, holdout },
    staged,
  };
  return [
    takeLock(lockTable(connection, ledger)),
    refuseUnless(`${publishedNumber(BIGQUERY, ledger, entry)} = ${supersedes?.number ?? 0}`, published),
    refuseUnless(`${countNear(BIGQUERY, ledger, entry)} = ${near} AND ${clashes} = 0`, literal(CLASH)),
    ...(targets.current
      ? changeCurrent(BIGQUERY, targets, spec, slice)
      : replaceRows(BIGQUERY, targets, spec, { rows: pinned.length > 0 ? rows : undefined })),
    ...expectedRows(BIGQUERY, spec, { scores, quarantine, report }).map((expected) =>
      refuseOther(expected, countContent(BIGQUERY, expected, entry)),
    ),
    ...(targets.current ? refuseOtherUsers(spec, targets, slice) : []),
    ...(repeats === undefined ? [] : [refuseUnless(`NOT (${repeats})`, literal(REPEATED))]),
    ...trimKept(BIGQUERY, targets, spec, trimming),
    ...appendEntries(BIGQUERY, targets, spec),
  ];
}

/** Stops the script unless the table has the rows that were counted in staging; see `alteredBy`. @param sql counts the rows */
function refuseOther({ table, rows, checksum }: Pick<ExpectedRows, 'table' | 'rows' | 'checksum'>, sql: string): string {
  const sum =
    checksum === undefined ? '' : `, ', ', CAST(CAST(high AS BIGNUMERIC) * ${HALF} + CAST(low AS BIGNUMERIC) AS STRING)`;
  const counted = `(SELECT CONCAT(row_count, ' rows'${sum}) FROM (${sql}) counted)`;
  const wanted = checksum === undefined ? `${rows} rows` : `${rows} rows, ${checksum}`;
  return refuseUnless(
    `${counted} = ${BIGQUERY.literal(wanted)}`,
    `${BIGQUERY.literal(`${ALTERED}${showTableName(table.name)}`)}`,
  );
}

/** Statements that stop the script unless the current table has become what it should be. */
function refuseOtherUsers(spec: PublicationSpec, targets: PublicationTables, slice: SliceRows): string[] {
  const { staged } = slice;
  return [
    ...(staged === undefined
      ? []
      : [refuseOther({ table: targets.scores, ...expectedStaged(spec) }, countStaged(BIGQUERY, staged, spec))]),
    ...currentFaults(BIGQUERY, targets, spec, slice).map(({ what, count }) =>
      refuseUnless(`${count} = 0`, BIGQUERY.literal(`${FAULT}${what}`)),
    ),
  ];
}

/** The table without the rows that were counted; undefined if the script stopped for another reason. */
function alteredBy(refusal: string): string | undefined {
  return refusal.startsWith(ALTERED) ? refusal.slice(ALTERED.length) : undefined;
}
