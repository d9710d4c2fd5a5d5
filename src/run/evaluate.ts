import { hostname } from 'node:os';
import { counted } from '../domain/counted.ts';
import type { EvaluatedGroup, Evaluation } from '../domain/evaluation.ts';
import type { LedgerEntry, LedgerWindow, Run } from '../domain/ledger.ts';
import type { Query } from '../domain/query.ts';
import { isSameTable, showTableName } from '../domain/table-name.ts';
import { evaluationLayout, ledgerLayout, type TableLayout } from '../domain/tables.ts';
import type { Window } from '../domain/window.ts';
import { ScoreBatchError } from '../errors.ts';
import { type EvaluationRow, evaluationRows, MAX_VALUES } from '../evaluation/rows.ts';
import type { Job } from '../job/load.ts';
import { joinLabels } from '../labels/join.ts';
import { type PublishedScores, readSegments } from '../labels/published.ts';
import { refuseOthers } from '../labels/refuse.ts';
import { tableNames, type Warehouses } from '../plan/warehouses.ts';
import { localTime } from '../window/local-time.ts';
import { labelWindow, windowOf } from '../window/window.ts';
import { evaluationText } from './evaluation-text.ts';
import { isInSample } from './in-sample.ts';
import { bindOutcomes, countOutcomes, noLabels } from './outcome-query.ts';

export interface EvaluateOptions extends Pick<Warehouses, 'source' | 'sink'> {
  readonly job: Job;
  /** The window's published run. */
  readonly run: Run;
  /** What the model was trained through, if known. */
  readonly trainedThrough: string | undefined;
  /** Epoch milliseconds. */
  readonly now: number;
  readonly signal: AbortSignal;
}

export interface Evaluated {
  readonly evaluation: Evaluation;
  readonly rows: readonly EvaluationRow[];
}

/**
 * Compares the published scores of a window with what became of its users, and writes the evaluation table and a ledger entry.
 *
 * @throws ScoreBatchError `unavailable` if the outcomes are not known yet, `refused` if the labels cannot be right, `conflict` if
 *   another run was published meanwhile
 */
export async function evaluateRun(options: EvaluateOptions): Promise<Evaluated> {
  const { job, run, source, sink, now } = options;
  const { labels, time_zone: zone, report } = job.definition;
  if (labels === undefined) throw noLabels(job);
  const window = windowOf(Date.parse(run.window.start), Date.parse(run.window.end), zone);
  const span = labelWindow(window, labels.after);
  refuseYoung(span, run.window, now);
  const { query, ready } = bindOutcomes(job, window);
  await refuseUnready(options, ready);
  const scored = run.rows?.scored ?? 0;
  if (scored === 0) throw nobody(run);
  const scores = publishedScores(job, run);
  const { definition } = job;
  const { columns, counts } = await countOutcomes(source, { definition, query, span, scores: scores.table.columns });
  const segments = report.segments.length === 0 ? [] : await readSegments(sink, scores, MAX_VALUES);
  const kept = segments.map(({ name, values }) => ({ name, values: values.slice(0, MAX_VALUES) }));
  const joined = await joinLabels({
    ...{ source, sink, segments: kept, missing: labels.missing, signal: options.signal },
    labels: { query, columns, rows: counts.rows },
    scores: { ...scores, rows: scored },
  });
  if (joined.published !== scored) throw altered(run, joined.published, scored);
  const coverage = refuseOthers(query.name, { ...joined, labels: counts, missing: labels.missing });
  const rows = evaluationRows(joined.users, { segments: kept, byContact: labels.treated !== undefined });
  const all = groupOf(rows, 'all');
  const evaluation: Evaluation = {
    ...(all ?? NOBODY),
    evaluated_at: new Date().toISOString(),
    label_end: span.end.toISOString(),
    published: scored,
    missing: scored - joined.known,
    missing_as: labels.missing,
    labels: counts.rows,
    unmatched: counts.keys - joined.matched,
    in_sample: isInSample(window, options.trainedThrough),
    treated: groupOf(rows, 'treated'),
    untreated: groupOf(rows, 'untreated'),
    table: evaluationTable(job).name,
    warnings: [
      ...coverage,
      ...(all === null || all.auc !== null
        ? []
        : [`all ${counted(all.users, 'outcome is', 'outcomes are')} the same, so the ranking cannot be evaluated`]),
      ...segments
        .filter(({ values }) => values.length > MAX_VALUES)
        .map(({ name }) => `${name} has more than ${MAX_VALUES} values: only those with the most users were evaluated`),
    ],
  };
  await write(options, evaluation, rows);
  return { evaluation, rows };
}

function nobody({ window: { label } }: Run): ScoreBatchError {
  return new ScoreBatchError('refused', `${label} was published without scores, so there is nothing to evaluate`);
}

/** @throws ScoreBatchError `unavailable` if outcomes can still change */
function refuseYoung(span: Window, { label }: LedgerWindow, now: number): void {
  if (span.end.getTime() <= now) return;
  const known = localTime(span.end.toISOString(), span.zone);
  throw new ScoreBatchError('unavailable', `the outcomes of ${label} are not known before ${known}`, {
    hint: 'evaluate the window after that; labels.after sets how long outcomes take',
  });
}

async function refuseUnready({ job, run, source }: EvaluateOptions, ready: Query | undefined): Promise<void> {
  if (ready === undefined || (await source.ready(ready))) return;
  throw new ScoreBatchError(
    'unavailable',
    `the outcomes of ${run.window.label} are not in the source yet: labels.ready is not true`,
    {
      details: [job.definition.labels?.ready?.trim() ?? ''],
      hint: 'run the same command again when the load into the source has finished; a scheduler should retry',
    },
  );
}

/** @throws ScoreBatchError `refused` if the scores were published without deciles, or to another table */
function publishedScores({ definition }: Job, run: Run): PublishedScores {
  const { source, score, report } = definition;
  const { scores: name } = tableNames(definition);
  const { table, columns = [] } = run.details;
  const find = (column: string) => columns.find((one) => one.name.toLowerCase() === column.toLowerCase());
  const missing = [...source.key, score.column, 'decile', ...report.segments].filter((column) => find(column) === undefined);
  if (!isSameTable(table, name) || missing.length > 0) {
    throw new ScoreBatchError(
      'refused',
      missing.length > 0
        ? `the scores of ${run.window.label} were published without ${missing.join(', ')}`
        : `the scores of ${run.window.label} were not published to ${showTableName(name)}`,
      { hint: 'the job file has changed since then; run the window again' },
    );
  }
  const named = (list: readonly string[]) => list.flatMap((column) => find(column) ?? []);
  return {
    table: { name, columns },
    entry: { job: definition.name, runId: run.runId, window: run.window },
    ...{ key: named(source.key), score: score.column, segments: named(report.segments) },
  };
}

function altered(run: Run, found: number, scored: number): ScoreBatchError {
  return new ScoreBatchError(
    'refused',
    `the scores table holds ${counted(found, 'row')} of ${run.window.label}, but run ${run.runId} published ${counted(scored, 'score')}`,
    { hint: 'someone changed the table, or another run is publishing the window; run the window again, then evaluate it' },
  );
}

const NOBODY: EvaluatedGroup = {
  ...{ users: 0, positives: 0, mean_score: null, auc: null, auc_low: null, auc_high: null },
  ...{ average_precision: null, brier: null, calibration_error: null },
};

function groupOf(rows: readonly EvaluationRow[], contact: EvaluationRow['contact']): EvaluatedGroup | null {
  const row = rows.find((one) => one.segment === 'all' && one.part === 'overall' && one.contact === contact);
  const { measures } = row ?? {};
  if (measures === undefined) return null;
  return {
    ...{ users: measures.users, positives: measures.positives, mean_score: measures.meanScore ?? null },
    ...{ auc: measures.auc ?? null, auc_low: measures.aucLow ?? null, auc_high: measures.aucHigh ?? null },
    ...{ average_precision: measures.averagePrecision ?? null, brier: measures.brier ?? null },
    calibration_error: measures.calibrationError ?? null,
  };
}

function evaluationTable({ definition }: Job): TableLayout {
  const { evaluation } = tableNames(definition);
  if (evaluation === undefined) throw new Error('a job with labels has an evaluation table');
  return evaluationLayout(evaluation);
}

async function write({ job, run, sink }: EvaluateOptions, evaluation: Evaluation, rows: readonly EvaluationRow[]) {
  const { runId, window, state, fingerprint, model } = run;
  const { name } = job.definition;
  const entry: LedgerEntry = {
    ...{ recordedAt: evaluation.evaluated_at, runId, job: name, window, state, fingerprint, model },
    ...{ host: hostname(), details: { evaluation } },
  };
  const table = evaluationTable(job);
  const texts = rows.map((row) => evaluationText(table, row, { entry, evaluation }));
  const { ledger } = tableNames(job.definition);
  if (await sink.amend({ entry, ledger: ledgerLayout(ledger), table, rows: texts })) return;
  throw new ScoreBatchError(
    'conflict',
    `another run was published for ${window.label} while run ${runId} was being evaluated`,
    {
      hint: 'evaluate the window again',
    },
  );
}
