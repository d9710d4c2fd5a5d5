import { randomBytes } from 'node:crypto';
import { HALF } from '../../domain/checksum.ts';
import { currentPublication, type LedgerEntry } from '../../domain/ledger.ts';
import { isSameWindow, nextNumber, supersededEntry } from '../../domain/publications.ts';
import { showTableName } from '../../domain/table-name.ts';
import { isRanked, type TableLayout } from '../../domain/tables.ts';
import { ScoreBatchError } from '../../errors.ts';
import { alteredStaging } from '../altered-staging.ts';
import { clashed, countClashes, countNear, refuseOverlap } from '../sql/clashes.ts';
import { countContent, type ExpectedRows, expectedRows } from '../sql/content.ts';
import { insertEntry, publishedRun } from '../sql/ledger.ts';
import { deleteWindow, insertQuarantine, insertScores, insertSummary, selectRanked, selectScored } from '../sql/publication.ts';
import { pinnedRows } from '../sql/tally.ts';
import { superseded } from '../superseded.ts';
import type { PublicationSpec } from '../warehouse.ts';
import type { Connection } from './connection.ts';
import { BIGQUERY } from './dialect.ts';
import { runJobAs, sendQuery, submitUnlessThere } from './jobs.ts';
import { readEntries } from './ledger.ts';
import { digest } from './names.ts';
import { createLock, lockTable, takeLock } from './publish-lock.ts';
import { queryJob, run } from './query.ts';
import { dropTable } from './rest-tables.ts';
import { scratchClause, scratchName, scratchTable } from './scratch.ts';
import { refusalOf, refuseUnless, transaction } from './script.ts';
import type { Job } from './shapes.ts';
import { createLayout, inProject, layoutExists } from './tables.ts';

/** No run id starts with this. */
const ALTERED = 'other rows: ';

/** Tables of a publication with their full names. */
interface Targets {
  readonly ledger: TableLayout;
  readonly scores: TableLayout;
  readonly quarantine: TableLayout;
  readonly report: TableLayout | undefined;
  readonly summary: TableLayout | undefined;
  /** Report and summary tables of a window that has none: its rows in them are deleted. */
  readonly others: readonly TableLayout[];
}

/**
 * Publishes with one script job, which is one transaction. It keeps running if this process dies. Its id leads back to it,
 * so nothing is published twice. Tables are created and rows are ranked before: a transaction cannot create tables, and must
 * be short.
 */
export async function publish(connection: Connection, spec: PublicationSpec): Promise<boolean> {
  const { entry } = spec;
  const targets = await createTargets(connection, spec);
  const entries = await readEntries(connection, targets.ledger, { job: entry.job, near: entry.window });
  const current = currentPublication(entries.filter(({ window }) => isSameWindow(window, entry.window)));
  if (current?.runId === entry.runId) return false;
  if (current?.runId !== spec.supersedes) throw superseded(entry.window.label, current?.runId);
  refuseOverlap(entries, spec);
  // The script checks that nothing near this window was published since, so this number is still right when it commits.
  const numbered = { ...entry, publication: nextNumber(entries, entry.window, spec.overlaps) };
  const near = entries.filter(({ publication }) => publication !== undefined).length;
  const hasRows = spec.pinned.length > 0;
  if (hasRows) await run(connection, writeRanked(connection, spec), { runId: entry.runId });
  const script = transaction(statementsOf(connection, { ...spec, entry: numbered }, targets, near));
  const mine = await publishOnce(connection, numbered, targets.ledger, script);
  // The table expires if it cannot be dropped.
  if (hasRows) await dropTable(connection, scratchTable(connection, 'ranked', rankedId(spec))).catch(() => undefined);
  return mine;
}

/** Skips up to this many finished jobs that have the publication's id but did not publish it. */
const MAX_JOBS = 5;

/** @returns false if another process of the run has published */
async function publishOnce(connection: Connection, entry: LedgerEntry, ledger: TableLayout, script: string): Promise<boolean> {
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
      const altered = alteredBy(published);
      if (altered !== undefined) throw alteredStaging([`${altered} would not have the rows that were counted`]);
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
    hint: 'run again with --fresh: a new run uses new job ids',
  });
}

/** The script's refusal for a conflict other than the window's own publication. Not a run id, which has no spaces. */
const CLASH = 'a clash';

function ownerOf(job: Job): string | undefined {
  return job.configuration?.labels?.process;
}

async function createTargets(connection: Connection, { tables, key, reported }: PublicationSpec): Promise<Targets> {
  const report = tables.report && inProject(connection, tables.report);
  const summary = tables.summary && inProject(connection, tables.summary);
  const targets = {
    ledger: inProject(connection, tables.ledger),
    scores: inProject(connection, tables.scores),
    quarantine: inProject(connection, tables.quarantine),
  };
  const keyNames = key.map(({ name }) => name);
  await createLayout(connection, targets.ledger, ['job']);
  await createLock(connection, targets.ledger);
  for (const table of [targets.scores, targets.quarantine, ...(reported && report ? [report] : [])]) {
    await createLayout(connection, table, keyNames);
  }
  if (reported && summary) await createLayout(connection, summary, ['segment', 'segment_value']);
  if (reported) return { ...targets, report, summary, others: [] };
  const others: TableLayout[] = [];
  for (const table of [report, summary]) if (table && (await layoutExists(connection, table))) others.push(table);
  return { ...targets, report: undefined, summary: undefined, others };
}

/**
 * Writes the scored rows of the pinned attempts with their ranks. The name is a digest of the content, so two processes
 * write the same.
 */
function writeRanked(connection: Connection, spec: PublicationSpec): string {
  const { entry, pinned, key, keep, tables } = spec;
  const staged = pinnedRows(BIGQUERY, scratchName(connection, 'staged', entry.runId), pinned);
  return `CREATE OR REPLACE TABLE ${scratchName(connection, 'ranked', rankedId(spec))} ${scratchClause(connection, entry.runId)}
    AS ${isRanked(tables) ? selectRanked(BIGQUERY, staged, key, keep) : selectScored(staged, key, keep)}`;
}

function rankedId({ entry, pinned }: PublicationSpec): string {
  return digest(entry.runId, ...pinned.map(({ attempt }) => attempt));
}

/** @param near number of publications near the window when the publication number was chosen */
function statementsOf(connection: Connection, spec: PublicationSpec, targets: Targets, near: number): string[] {
  const { entry, supersedes, pinned, key, keep, bands, scored, segments } = spec;
  const { ledger, scores, quarantine, report, summary, others } = targets;
  const { literal } = BIGQUERY;
  const published = `COALESCE(${publishedRun(BIGQUERY, ledger, entry)}, '')`;
  const targeted = [scores, quarantine, report, summary, ...others].filter((table) => table !== undefined);
  const statements = [
    takeLock(lockTable(connection, ledger)),
    refuseUnless(`${published} = ${literal(supersedes ?? '')}`, published),
    refuseUnless(
      `${countNear(BIGQUERY, ledger, entry)} = ${near} AND ${countClashes(BIGQUERY, ledger, targeted, spec)} = 0`,
      literal(CLASH),
    ),
    ...targeted.map((table) => deleteWindow(BIGQUERY, table, ledger, spec)),
  ];
  if (pinned.length > 0) {
    const rows = { from: `${scratchName(connection, 'ranked', rankedId(spec))} ranked`, key, keep, scored, bands };
    const staged = pinnedRows(BIGQUERY, scratchName(connection, 'staged', entry.runId), pinned);
    statements.push(insertScores(BIGQUERY, scores, entry, rows), insertQuarantine(BIGQUERY, quarantine, entry, staged, key));
    if (report) statements.push(insertScores(BIGQUERY, report, entry, rows));
    if (summary) statements.push(insertSummary(BIGQUERY, summary, entry, rows, segments));
  }
  statements.push(
    ...expectedRows(BIGQUERY, spec, { scores, quarantine, report }).map((expected) => refuseOther(entry, expected)),
  );
  const ended = spec.overlaps.map((run) => insertEntry(BIGQUERY, ledger, supersededEntry(run, entry)));
  return [...statements, ...ended, insertEntry(BIGQUERY, ledger, entry)];
}

/** Stops the script unless the table has the rows that were counted in staging; see `alteredBy`. */
function refuseOther(entry: LedgerEntry, { table, rows, checksum, hash }: ExpectedRows): string {
  const counted = `(SELECT CONCAT(row_count, ' rows, ', CAST(CAST(high AS BIGNUMERIC) * ${HALF} + CAST(low AS BIGNUMERIC) AS STRING))
    FROM (${countContent(BIGQUERY, table, entry, hash)}) counted)`;
  const wanted = `${rows} rows, ${checksum}`;
  return refuseUnless(
    `${counted} = ${BIGQUERY.literal(wanted)}`,
    `${BIGQUERY.literal(`${ALTERED}${showTableName(table.name)}`)}`,
  );
}

/** The table without the rows that were counted; undefined if the script stopped for another reason. */
function alteredBy(refusal: string): string | undefined {
  return refusal.startsWith(ALTERED) ? refusal.slice(ALTERED.length) : undefined;
}
