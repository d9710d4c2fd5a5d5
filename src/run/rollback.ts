import { hostname } from 'node:os';
import type { Context } from '../context.ts';
import { currentPublication, type LedgerEntry, type LedgerWindow, lastPublished, type Publication } from '../domain/ledger.ts';
import { overlapping } from '../domain/publications.ts';
import { replacedLayout, replacedTables } from '../domain/replaced-tables.ts';
import { ScoreBatchError } from '../errors.ts';
import type { Job } from '../job/load.ts';
import { refuseDifferentTables } from '../plan/checks.ts';
import type { Warehouses } from '../plan/warehouses.ts';
import { sessionUser } from '../warehouse/session-user.ts';
import { publishedContent } from '../warehouse/sql/replaced.ts';
import { readChange, type ScoreChange, selectChange } from '../warehouse/sql/replaced-change.ts';
import { evaluateRun } from './evaluate.ts';
import { type KeptPublication, keptPublications } from './kept-publications.ts';
import { completedEntry, type RemakeOptions, remakeReport } from './remake-report.ts';
import { type JobTables, tablesThen } from './tables-then.ts';

export interface RollbackOptions extends Pick<Warehouses, 'source' | 'sink' | 'ledger' | 'files' | 'stores'> {
  readonly job: Job;
  readonly window: LedgerWindow;
  /** Run to return to; by default the one published before the current one. */
  readonly to: string | undefined;
  readonly reason: string | undefined;
  /** Allow returning to a publication that was itself rolled back, and replacing report files that this job did not write. */
  readonly force: boolean;
}

/** A possible rollback. */
export interface RollbackPlan {
  readonly from: Publication;
  readonly fromEntry: LedgerEntry;
  readonly to: KeptPublication;
  readonly tables: JobTables;
  readonly change: ScoreChange;
  /** Content of the publication to roll back; see `publishedContent`. */
  readonly content: string | undefined;
}

/**
 * Plans a rollback.
 *
 * @returns undefined if the run to return to is already current
 * @throws ScoreBatchError `refused` if there is nothing to return to, `configuration` if the tables have other columns now
 */
export async function planRollback(options: RollbackOptions): Promise<RollbackPlan | undefined> {
  const { job, window, sink, ledger, to } = options;
  const { definition } = job;
  const near = await ledger.entries({ job: definition.name, near: window });
  const entries = near.filter((entry) => entry.window.start === window.start && entry.window.end === window.end);
  const from = currentPublication(entries);
  const fromEntry = lastPublished(entries);
  if (from === undefined || fromEntry === undefined) throw notPublished(window, near);
  if (to === from.runId) return undefined;
  const tablesNow = tablesThen(definition, fromEntry.details.columns ?? []);
  const scores = { name: tablesNow.tables.scores.name, columns: [] };
  const kept = await keptPublications(sink, { job: definition.name, window, entries, scores });
  const target = to === undefined ? kept[0] : kept.find(({ run }) => run.runId === to);
  if (target === undefined) throw nothingKept(options, entries, kept);
  // A rollback with an incomplete report: repeating the command finishes it.
  const last = fromEntry.details.rollback?.from.publication;
  if (to === undefined && last === target.number && isUnfinished(entries, from)) return undefined;
  const isRolledBack = from.rolledBack?.some(({ publication }) => publication === target.number) === true;
  if (isRolledBack && !options.force) throw rolledBackBefore(window, target, kept.length > 1);
  const tables = tablesThen(definition, target.run.details.columns ?? []);
  if (tables.otherColumns !== undefined) throw otherLayout(target, tables.otherColumns);
  for (const all of [tables.tables, replacedTables(tables.tables)]) await refuseDifferentTables({ sink, tables: all });
  const overlaps = overlapping(near, window);
  if (overlaps.length > 0) throw overlapped(window, overlaps[0]?.window.label ?? '');
  const content = await contentOf(options, fromEntry, tables);
  return { from, fromEntry, to: target, tables, content, change: await changeOf(options, fromEntry, target, tables) };
}

/**
 * Makes a kept publication current again, under the publish lock.
 *
 * @throws ScoreBatchError `conflict` if something else was published meanwhile
 */
export async function rollBack(options: RollbackOptions, { from, to, tables, content }: RollbackPlan): Promise<void> {
  const { job, sink, reason } = options;
  const { definition } = job;
  const { run } = to;
  const { table, columns, score_class, also_wrote } = run.details;
  const rows = run.rows ?? { frozen: 0, scored: 0, quarantined: 0 };
  const rollback = {
    publication: to.number,
    from: { run_id: from.runId, publication: from.number },
    reason: reason ?? null,
    user: (await sessionUser(sink)) ?? null,
    ...(content !== undefined && { content }),
  };
  await sink.publish({
    entry: {
      ...{ recordedAt: new Date().toISOString(), host: hostname(), runId: run.runId, job: run.job, window: run.window },
      ...{ state: 'published', fingerprint: run.fingerprint, model: run.model, rows },
      details: {
        rollback,
        ...(options.force && { forced: true }),
        ...(table && { table }),
        ...(columns && { columns }),
        ...(score_class !== undefined && { score_class }),
        ...(also_wrote && { also_wrote }),
      },
    },
    supersedes: from,
    overlaps: [],
    sharedTables: definition.sink.shared_tables,
    pinned: [],
    ...tables,
    bands: definition.score.bands,
    segments: definition.report.segments,
    reported: run.window.kind === definition.every,
    scored: rows.scored,
    history: definition.sink.history,
    restored: to.number,
  });
}

/**
 * Evaluates the run that is now current if the window was evaluated before, then writes its report files. @returns their paths
 */
export async function finishRollback(
  options: RemakeOptions & Pick<RollbackOptions, 'source'>,
  context: Pick<Context, 'now' | 'console'>,
): Promise<readonly string[]> {
  const { job, run, window, entries, ledger, sink, source, signal } = options;
  if (job.labels !== undefined && entries.some(({ details }) => details.evaluation !== undefined)) {
    const trainedThrough = run.details.trained_through;
    const { now } = context;
    await evaluateRun({ job, run, source, sink, signal, now, trainedThrough }).catch((error: unknown) => {
      if (!(error instanceof ScoreBatchError)) throw error;
      context.console.warn(`${window.label} is rolled back, but was not evaluated: ${error.message}`);
    });
  }
  const paths = await remakeReport(options);
  if (paths.length > 0) return paths;
  await ledger.decide({ job: job.definition.name, window }, async (now) =>
    currentPublication(now)?.runId === run.runId
      ? { append: completedEntry(run, window, []), result: true }
      : { result: false },
  );
  return paths;
}

async function contentOf(
  { sink }: RollbackOptions,
  entry: LedgerEntry,
  { tables, key, keep }: JobTables,
): Promise<string | undefined> {
  return await sink.read(async (reader) => {
    const scores = await reader.find(tables.scores);
    const quarantine = await reader.find(tables.quarantine);
    if (scores === undefined || quarantine === undefined) return undefined;
    const content = publishedContent(reader.dialect, { scores, quarantine }, { entry, key, keep });
    const [[text] = []] = await reader.rows(`SELECT ${content} AS content_text`);
    return text ?? undefined;
  });
}

async function changeOf(
  { sink, job }: RollbackOptions,
  now: LedgerEntry,
  { number }: KeptPublication,
  { tables, key }: JobTables,
): Promise<ScoreChange> {
  const { column: score } = job.definition.score;
  return await sink.read(async (reader) => {
    const table = await reader.find(tables.scores);
    const kept = table && (await reader.find(replacedLayout(tables.scores)));
    if (table === undefined || kept === undefined)
      return { both: 0, onlyNow: 0, onlyThen: 0, differ: 0, sumNow: 0, sumThen: 0 };
    const names = { key: key.map(({ name }) => name), score };
    const [row = []] = await reader.rows(selectChange(reader.dialect, { table, kept }, { now, kept: number }, names));
    return readChange(row);
  });
}

function isUnfinished(entries: readonly LedgerEntry[], { number, runId }: Publication): boolean {
  const from = entries.findIndex(({ publication, state }) => publication === number && state === 'published');
  return !entries.slice(from).some((entry) => entry.runId === runId && entry.state === 'completed');
}

function notPublished({ label }: LedgerWindow, near: readonly LedgerEntry[]): ScoreBatchError {
  const by = near.find(({ state, window }) => state === 'superseded' && window.label === label)?.details.superseded_by;
  return new ScoreBatchError('refused', `nothing is published for ${label}, so there is nothing to roll back`, {
    hint:
      by === undefined
        ? 'run `score-batch status` to see what is published'
        : `run ${by.run_id} for ${by.label} superseded its rows; run \`score-batch status\` to see what is published`,
  });
}

function nothingKept(
  { window: { label }, to, job }: RollbackOptions,
  entries: readonly LedgerEntry[],
  kept: readonly KeptPublication[],
): ScoreBatchError {
  const known = to === undefined || entries.some(({ runId, publication }) => runId === to && publication !== undefined);
  if (!known) {
    return new ScoreBatchError('usage', `--to: no run ${to} was ever published for ${label}`, { hint: choices(kept) });
  }
  const again = 'fix the source, the query or the model, and run the window again';
  if (to === undefined && entries.filter(({ state }) => state === 'published').length === 1) {
    return new ScoreBatchError('refused', `${label} was published only once, so there is nothing to roll back to`, {
      hint: again,
    });
  }
  const { history } = job.definition.sink;
  const what = to === undefined ? `no earlier publication of ${label} is kept` : `the rows of run ${to} are no longer kept`;
  const why =
    history === 0
      ? 'sink.history is 0'
      : `sink.history keeps ${history === 1 ? 'one publication' : `${history} publications`} per window, and \`score-batch gc\` drops old ones`;
  return new ScoreBatchError('refused', what, {
    details: [why],
    hint: kept.length > 0 ? choices(kept) : again,
  });
}

function choices(kept: readonly KeptPublication[]): string {
  if (kept.length === 0) return 'no earlier publication of the window is kept';
  return `choose a run with --to: ${kept.map(({ run, publishedAt }) => `run ${run.runId} (${publishedAt})`).join(' or ')}`;
}

function rolledBackBefore({ label }: LedgerWindow, { run, number }: KeptPublication, others: boolean): ScoreBatchError {
  return new ScoreBatchError(
    'refused',
    `${label} would get back scores that were rolled back: publication ${number}, of run ${run.runId}`,
    {
      hint: `nothing was changed; ${others ? 'choose another run with --to, or ' : ''}add --force to restore them anyway`,
    },
  );
}

function otherLayout({ run }: KeptPublication, differences: readonly string[]): ScoreBatchError {
  return new ScoreBatchError(
    'configuration',
    `run ${run.runId} was published with columns that differ from those of the job now`,
    {
      details: differences,
      hint: 'nothing was changed; roll back with the job file that the run was published with, or run the window again',
    },
  );
}

function overlapped({ label }: LedgerWindow, other: string): ScoreBatchError {
  return new ScoreBatchError(
    'configuration',
    `${label} overlaps ${other}, which this job has published: users would be counted twice`,
    {
      hint: `roll back or supersede ${other} first`,
    },
  );
}
