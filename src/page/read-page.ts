import type { Bands } from '../domain/bands.ts';
import { priceOf } from '../domain/cost.ts';
import { limitOf } from '../domain/feature-gates.ts';
import type { LedgerWindow, Run } from '../domain/ledger.ts';
import type { TableLayout } from '../domain/tables.ts';
import { ScoreBatchError } from '../errors.ts';
import type { TableReader } from '../warehouse/reader.ts';
import { labelWindow, windowOf } from '../window/window.ts';
import { readOutcome } from './evaluation-sql.ts';
import type { LeftOut, PageData, PageDrift, Totals } from './page-data.ts';
import { type PublishedWindow, readWindows, windowsUpTo } from './published-windows.ts';
import { inOrder, readChange, readSegments, segmentColumns } from './read-segments.ts';
import { explainedByBands, readDistribution } from './read-spread.ts';
import { readUsers } from './read-users.ts';
import { readBands, readDeciles, readSquares, readTotals, type Scores } from './score-sql.ts';

/** What a page is made from, besides the tables. */
export interface PageSpec {
  /** Keys of the job file. */
  readonly job: Pick<PageData['job'], 'name' | 'description' | 'nouns' | 'zone' | 'minCell'> & {
    readonly scoreColumn: string;
    readonly bands: Bands;
    readonly segments: readonly string[];
    /** Names of the key's columns. */
    readonly key: readonly string[];
    /** Whether the page may show keys. */
    readonly showKeys: boolean;
    /** Days until the outcome is known; undefined without labels. */
    readonly labelDays: number | undefined;
    readonly usdPerTib: number;
    /** Limits of feature drift. */
    readonly maxFeaturePsi: number | Readonly<Record<string, number>> | undefined;
  };
  readonly window: LedgerWindow;
  /** The published run. */
  readonly run: Run;
  /** Layouts as published. */
  readonly tables: {
    readonly scores: TableLayout;
    readonly quarantine: TableLayout;
    readonly ledger: TableLayout;
    readonly evaluation: TableLayout | undefined;
  };
  readonly links: PageData['links'];
  /** Version of score-batch. */
  readonly version: string;
}

/** Windows in the trend, and in the mean before this window. */
const TREND = 12;
const AVERAGE = 8;

/**
 * Reads the page's data from the published tables and the ledger.
 *
 * @throws ScoreBatchError `refused` if the scores table does not exist
 */
export async function readPage(reader: TableReader, spec: PageSpec): Promise<PageData> {
  const { job, window, run, tables } = spec;
  const table = await reader.find(tables.scores);
  if (table === undefined)
    throw new ScoreBatchError('refused', 'the scores table does not exist', { hint: 'run the window again' });
  const scores: Scores = {
    reader,
    table: { ...table, columns: tables.scores.columns },
    job: job.name,
    column: job.scoreColumn,
  };
  const { windows, entryNumber } = await readWindows(reader, tables.ledger, job.name, window.kind);
  const now = windows.find(({ runId }) => runId === run.runId) ?? publishedNow(spec);
  const trend = window.kind === 'ad hoc' ? [] : windowsUpTo(windowFrom(spec), windows, TREND);
  const earlier = windows.filter(({ start }) => start < window.start).slice(-TREND);
  const totals = await readTotals(scores, [
    ...new Set([now, ...earlier, ...trend.flatMap(({ published }) => published ?? [])]),
  ]);
  const totalsOf = ({ runId }: PublishedWindow): Totals => totals.get(runId) ?? { users: 0, expected: 0 };
  const before = earlier.at(-1);
  const segments = segmentColumns(scores, job.segments);
  const bandTotals = await readBands(scores, now);
  return {
    job: { ...job, keyColumns: job.key },
    window,
    totals: totalsOf(now),
    before: before && { label: before.label, ...totalsOf(before) },
    average: averageOf(earlier.slice(-AVERAGE).map(totalsOf)),
    change: before && segments[0] && (await readChange(scores, { now, before }, segments[0])),
    distribution: await readDistribution(scores, { now, before }, run.details.score_reference),
    bandRules: job.bands,
    bands: [
      { segment: 'all', value: 'all', ...totalsOf(now), bands: inOrder(bandTotals, job.bands) },
      ...(await readSegments(scores, now, { columns: segments, bands: job.bands })),
    ],
    deciles: await readDeciles(scores, now),
    bandsExplain: explainedByBands(totalsOf(now), bandTotals, await readSquares(scores, now)),
    trend: trend.map(({ label, published }) => ({ label, totals: published && totalsOf(published) })),
    outcome: await readOutcomeOf(reader, spec, [...earlier, now]),
    outcomeKnownFrom: job.labelDays === undefined ? undefined : labelWindow(windowFrom(spec), job.labelDays).end.toISOString(),
    riskiest: await readUsers(scores, now, job),
    reasons: run.details.reasons && { features: run.details.reasons.features, method: run.details.reasons.method },
    leftOut: await readLeftOut(reader, spec),
    drift: driftOf(spec),
    links: spec.links,
    run: factsOf(spec, now, entryNumber),
  };
}

function windowFrom({ window, job }: PageSpec) {
  return windowOf(Date.parse(window.start), Date.parse(window.end), job.zone);
}

/** The run's own window, if the ledger names none of this kind. */
function publishedNow({ window, run }: PageSpec): PublishedWindow {
  return { ...window, runId: run.runId, publishedAt: run.recordedAt, users: run.rows?.scored ?? 0, completed: false };
}

function averageOf(totals: readonly Totals[]): PageData['average'] {
  if (totals.length === 0) return undefined;
  const sum = (of: keyof Totals) => totals.reduce((total, one) => total + one[of], 0);
  return { windows: totals.length, users: sum('users') / totals.length, expected: sum('expected') / totals.length };
}

async function readOutcomeOf(reader: TableReader, { tables, job }: PageSpec, windows: readonly PublishedWindow[]) {
  const table = tables.evaluation && (await reader.find(tables.evaluation));
  return table && (await readOutcome({ reader, table, job: job.name }, windows));
}

async function readLeftOut(reader: TableReader, { tables, job, window, run }: PageSpec): Promise<LeftOut[]> {
  const { dialect } = reader;
  const table = await reader.find(tables.quarantine);
  if (table === undefined) return [];
  const rows = await reader.rows(
    `SELECT reason, column_name, CAST(COUNT(*) AS ${dialect.type({ type: 'string' })}) AS row_count
     FROM ${dialect.table(table.name)} quarantined WHERE job = ${dialect.literal(job.name)}
       AND run_id = ${dialect.literal(run.runId)} AND window_start = CAST(${dialect.literal(window.start)} AS ${dialect.type({ type: 'timestamp' })})
     GROUP BY reason, column_name ORDER BY COUNT(*) DESC, reason, column_name`,
  );
  return rows.map(([reason, column, count]) => ({ reason: String(reason), column: column ?? '', rows: Number(count) }));
}

function driftOf({ run, job }: PageSpec): PageDrift[] | undefined {
  const { maxFeaturePsi: limits } = job;
  return run.details.feature_drift?.features.map(({ feature, psi, null_share, reference_null_share, bins }) => ({
    ...{ feature, psi, bins, nullShare: null_share, referenceNullShare: reference_null_share },
    limit: limitOf(limits, feature),
  }));
}

function factsOf({ run, job, version }: PageSpec, now: PublishedWindow, entryNumber: number): PageData['run'] {
  const { details } = run;
  const bytes = details.estimated_bytes;
  return {
    ...{ runId: run.runId, model: run.model, dataAsOf: run.startedAt, publishedAt: now.publishedAt },
    provider: Object.keys(details.providers ?? {}).join(', '),
    seconds: details.seconds ?? {},
    cost: bytes === undefined ? undefined : { bytes, usd: priceOf(bytes, job.usdPerTib) },
    ...{ entryNumber, version, warnings: details.warnings ?? [], accepted: details.accepted, rollback: details.rollback },
  };
}
