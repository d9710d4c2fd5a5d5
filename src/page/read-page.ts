import type { Bands } from '../domain/bands.ts';
import { priceOf } from '../domain/cost.ts';
import { limitOf } from '../domain/feature-gates.ts';
import type { LedgerWindow, Run } from '../domain/ledger.ts';
import type { Histogram } from '../domain/psi.ts';
import type { TableColumn, TableLayout } from '../domain/tables.ts';
import { ScoreBatchError } from '../errors.ts';
import type { TableReader } from '../warehouse/reader.ts';
import { labelWindow, windowOf } from '../window/window.ts';
import { readOutcome } from './evaluation-sql.ts';
import type { FeatureDrift, LeftOut, PageData, RiskyUser, SegmentBands, SegmentChange, Totals } from './page-data.ts';
import { type PublishedWindow, readWindows, windowsUpTo } from './published-windows.ts';
import {
  readBands,
  readDeciles,
  readHistogram,
  readRiskiest,
  readSegment,
  readSquares,
  readTotals,
  type Scores,
} from './score-sql.ts';

/** What a page is made of, beside the tables. */
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
    /** Limits of the drift of a feature. */
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

/** Windows of the trend, and of the mean before this window. */
const TREND = 12;
const AVERAGE = 8;
const RISKIEST = 20;
/** Bins of the scores if the bundle has no reference. */
const TENTHS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/**
 * Reads what the page shows from the published tables and the ledger.
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
  const segments = await readSegments(scores, now, job.segments);
  const bandTotals = await readBands(scores, now);
  return {
    job: { ...job, keyColumns: job.key },
    window,
    totals: totalsOf(now),
    before: before && { label: before.label, ...totalsOf(before) },
    average: averageOf(earlier.slice(-AVERAGE).map(totalsOf)),
    change: before && (await readChange(scores, before, segments)),
    distribution: await readDistribution(scores, now, before, run.details.score_reference),
    bandRules: job.bands,
    bands: [
      { segment: 'all', value: 'all', ...totalsOf(now), bands: inOrder(bandTotals, job.bands) },
      ...segments.flatMap(({ bands }) => bands.map((one) => ({ ...one, bands: inOrder(one.bands, job.bands) }))),
    ],
    deciles: await readDeciles(scores, now),
    bandsExplain: explained(totalsOf(now), bandTotals, await readSquares(scores, now)),
    trend: trend.map(({ label, published }) => ({ label, totals: published && totalsOf(published) })),
    outcome: await readOutcomeOf(reader, spec, [...earlier, now]),
    outcomeKnownFrom: job.labelDays === undefined ? undefined : labelWindow(windowFrom(spec), job.labelDays).end.toISOString(),
    riskiest: await readRiskiestOf(scores, now, spec),
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

/** The run's window if the ledger names none of this kind. */
function publishedNow({ window, run }: PageSpec): PublishedWindow {
  return { ...window, runId: run.runId, publishedAt: run.recordedAt, users: run.rows?.scored ?? 0 };
}

function averageOf(totals: readonly Totals[]): PageData['average'] {
  if (totals.length === 0) return undefined;
  const sum = (of: keyof Totals) => totals.reduce((total, one) => total + one[of], 0);
  return { windows: totals.length, users: sum('users') / totals.length, expected: sum('expected') / totals.length };
}

interface Segment {
  readonly column: TableColumn;
  readonly bands: readonly SegmentBands[];
}

/** Bands of each segment's values, most users first; the values that are not read by themselves come last, as one. */
async function readSegments(scores: Scores, window: PublishedWindow, names: readonly string[]): Promise<Segment[]> {
  const found: Segment[] = [];
  for (const name of names) {
    const column = scores.table.columns.find((other) => other.name.toLowerCase() === name.toLowerCase());
    if (column === undefined) continue;
    const cells = await readSegment(scores, window, column);
    const values = [...new Set(cells.map(({ value }) => value))];
    const bands = values.map((value) => {
      const own = cells.filter((cell) => cell.value === value);
      return {
        ...{ segment: column.name, value: value ?? REST },
        ...sumOf(own.map(({ totals }) => totals)),
        bands: own.map(({ band, totals }) => ({ band, ...totals })),
      };
    });
    const last = (value: string) => Number(value === REST);
    bands.sort((a, b) => last(a.value) - last(b.value) || b.users - a.users || (a.value < b.value ? -1 : 1));
    found.push({ column, bands });
  }
  return found;
}

/** Values beyond those that are read by themselves. */
const REST = 'all other values';

function sumOf(totals: readonly Totals[]): Totals {
  return {
    users: totals.reduce((sum, { users }) => sum + users, 0),
    expected: totals.reduce((sum, { expected }) => sum + expected, 0),
  };
}

/** The first segment in two windows. Values that are not read by themselves in this window are one in both. */
async function readChange(scores: Scores, before: PublishedWindow, [segment]: readonly Segment[]): Promise<PageData['change']> {
  if (segment === undefined) return undefined;
  const known = new Set(segment.bands.map(({ value }) => value));
  const cells = await readSegment(scores, before, segment.column);
  const earlier = new Map<string, Totals>();
  for (const { value, totals } of cells) {
    const name = value === undefined ? REST : value;
    const own = known.has(name) || !known.has(REST) ? name : REST;
    earlier.set(own, sumOf([earlier.get(own) ?? { users: 0, expected: 0 }, totals]));
  }
  const none: Totals = { users: 0, expected: 0 };
  const now = new Map(segment.bands.map(({ value, users, expected }) => [value, { users, expected }]));
  const values = [...new Set([...now.keys(), ...earlier.keys()])];
  const changes = values.map(
    (value): SegmentChange => ({ value, now: now.get(value) ?? none, before: earlier.get(value) ?? none }),
  );
  return { segment: segment.column.name, values: changes };
}

async function readDistribution(
  scores: Scores,
  now: PublishedWindow,
  before: PublishedWindow | undefined,
  reference: Histogram | undefined,
): Promise<PageData['distribution']> {
  const edges = reference?.edges ?? TENTHS;
  const shares = async (window: PublishedWindow): Promise<number[]> => {
    const counts = await readHistogram(scores, window, edges);
    const all = counts.reduce((sum, count) => sum + count, 0);
    return counts.map((count) => (all === 0 ? 0 : count / all));
  };
  return {
    edges,
    now: await shares(now),
    before: before && (await shares(before)),
    reference: reference?.shares,
  };
}

/** Highest risk first, as in the job file. */
function inOrder(bands: SegmentBands['bands'], { bounds, rest }: Bands): SegmentBands['bands'] {
  const order = [...bounds.map(({ name }) => name), rest];
  return [...bands].sort((a, b) => order.indexOf(a.band) - order.indexOf(b.band));
}

/**
 * Share of the variance of the scores that lies between the bands (eta squared): Σ n_b (m_b − m)² / Σ (s − m)².
 *
 * @param squares sum of the squared scores
 */
function explained(all: Totals, bands: SegmentBands['bands'], squares: number): number | undefined {
  if (all.users === 0) return undefined;
  const mean = all.expected / all.users;
  const whole = squares - all.users * mean * mean;
  // Scores have six decimals, so a smaller variance is the rounding of this subtraction.
  if (whole / all.users < 1e-12) return undefined;
  const between = bands.reduce((sum, { users, expected }) => sum + users * (expected / users - mean) ** 2, 0);
  return Math.min(1, between / whole);
}

async function readOutcomeOf(reader: TableReader, { tables, job }: PageSpec, windows: readonly PublishedWindow[]) {
  const table = tables.evaluation && (await reader.find(tables.evaluation));
  return table && (await readOutcome({ reader, table, job: job.name }, windows));
}

async function readRiskiestOf(scores: Scores, window: PublishedWindow, { job }: PageSpec): Promise<RiskyUser[]> {
  const columns = scores.table.columns.map(({ name }) => name);
  const reasons = columns.filter((name) => /^reason_\d+$/.test(name));
  const key = scores.table.columns.slice(0, job.key.length);
  const rows = await readRiskiest(scores, window, { key, most: RISKIEST, columns: ['holdout', ...reasons] });
  return rows.map(([rank, score, band, holdout, ...cells]) => ({
    rank: Number(rank),
    score: Number(score),
    band: String(band),
    holdout: holdout?.toLowerCase() === 'true',
    reasons: cells.slice(0, reasons.length).flatMap((text) => text ?? []),
    key: job.showKeys ? cells.slice(reasons.length).map((text) => text ?? '') : undefined,
  }));
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

function driftOf({ run, job }: PageSpec): FeatureDrift[] | undefined {
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
    ...{ entryNumber, version, warnings: details.warnings ?? [] },
  };
}
