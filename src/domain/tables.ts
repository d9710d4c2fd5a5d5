import type { Column, ColumnType } from './schema.ts';
import type { TableName } from './table-name.ts';

/** Decimal places of a score. The worker rounds it, once. */
export const SCORE_SCALE = 6;

/** A column of a published table. Each warehouse maps the type to its own. */
export interface TableColumn {
  readonly name: string;
  readonly type: Exclude<ColumnType, 'other'>;
  readonly digits?: readonly [precision: number, scale: number];
}

export interface TableLayout {
  readonly name: TableName;
  readonly columns: readonly TableColumn[];
}

/** Every table that a job publishes to. Report, summary and drift exist only if the job names them. */
export interface Tables {
  readonly scores: TableLayout;
  readonly quarantine: TableLayout;
  readonly ledger: TableLayout;
  readonly report: TableLayout | undefined;
  readonly summary: TableLayout | undefined;
  readonly drift: TableLayout | undefined;
  /** Exists only if the job has labels. */
  readonly evaluation?: TableLayout | undefined;
}

const string = (name: string): TableColumn => ({ name, type: 'string' });
const integer = (name: string): TableColumn => ({ name, type: 'integer' });
const instant = (name: string): TableColumn => ({ name, type: 'timestamp' });
const decimal = (name: string, precision: number, scale: number): TableColumn => ({
  name,
  type: 'decimal',
  digits: [precision, scale],
});

/** Nine decimals, so that every warehouse keeps it in its plain decimal type. */
const measure = (name: string): TableColumn => decimal(name, 18, 9);

/** Identifies the publication that a row belongs to. A publication replaces rows by job, window_start and window_end. */
const PUBLICATION: readonly TableColumn[] = [
  string('job'),
  string('window_label'),
  instant('window_start'),
  instant('window_end'),
  string('run_id'),
];

/** The columns needed to find a row's run. */
const TRACE: readonly TableColumn[] = PUBLICATION.filter(({ name }) => name !== 'window_label');

/** The columns needed to find a row's run in a table of one job: the ledger identifies the window's publications by number. */
const SLIM_TRACE: readonly TableColumn[] = [instant('window_start'), integer('publication')];

const PLACE: readonly TableColumn[] = [integer('rank'), integer('percentile'), integer('decile'), string('band')];

const MODEL: readonly TableColumn[] = [
  string('window_kind'),
  string('model_name'),
  string('model_version'),
  string('model_digest'),
  instant('scored_at'),
];

const REJECTION: readonly TableColumn[] = [string('reason'), string('column_name'), string('value')];

const SEGMENT: readonly TableColumn[] = [string('segment'), string('segment_value'), string('band')];

const TOTALS: readonly TableColumn[] = [
  integer('users'),
  decimal('share', 7, 6),
  decimal('mean_score', 7, 6),
  decimal('expected_churners', 18, 6),
];

/** A model's feature and its drift from the bundle's reference; `row_count` is the number of rows counted. */
const DRIFT: readonly TableColumn[] = [
  string('feature'),
  decimal('psi', 9, 6),
  decimal('null_share', 7, 6),
  decimal('reference_null_share', 7, 6),
  integer('row_count'),
];

/** How well the scores of a publication predicted the outcomes: measures of a group of users, or of a part of it. */
const EVALUATION: readonly TableColumn[] = [
  string('segment'),
  string('segment_value'),
  string('contact_group'),
  string('part'),
  integer('bin'),
  integer('users'),
  integer('positives'),
  measure('mean_score'),
  measure('auc'),
  measure('auc_low'),
  measure('auc_high'),
  measure('average_precision'),
  measure('brier'),
  measure('calibration_error'),
  measure('lift'),
  measure('capture'),
  { name: 'in_sample', type: 'bool' },
  instant('evaluated_at'),
];

/** One row per event of a run, append-only, in the order of `entry_number`; `details` is a JSON object. */
const LEDGER: readonly TableColumn[] = [
  integer('entry_number'),
  instant('recorded_at'),
  string('run_id'),
  string('job'),
  string('window_label'),
  instant('window_start'),
  instant('window_end'),
  string('window_kind'),
  string('state'),
  integer('publication'),
  string('fingerprint'),
  string('model_name'),
  string('model_version'),
  string('model_digest'),
  integer('rows_frozen'),
  integer('rows_scored'),
  integer('rows_quarantined'),
  string('host'),
  string('details'),
];

/** Columns of the wide layout that only some jobs have. */
export interface OptionalColumns {
  /** How many features a user's reasons name. */
  readonly reasons?: number | undefined;
  /** Whether some users are held out; see `holdout.ts` of the warehouses' SQL. */
  readonly holdout?: boolean | undefined;
}

/** `reason_1`, `reason_2`, …: the features that raise the score most, for the highest scores; then `holdout`. */
export function optionalColumns({ reasons = 0, holdout = false }: OptionalColumns): TableColumn[] {
  return [...Array.from({ length: reasons }, (_, i) => string(`reason_${i + 1}`)), ...(holdout ? [HOLDOUT] : [])];
}

const HOLDOUT: TableColumn = { name: 'holdout', type: 'bool' };

/** Names that a job's own columns cannot have, lower case. */
export const RESERVED_COLUMNS: readonly string[] = [...PUBLICATION, ...PLACE, ...MODEL].map((column) => column.name);

/** Further names that they cannot have in the slim layout. */
export const RESERVED_IN_SLIM: readonly string[] = SLIM_TRACE.map((column) => column.name);

/** Further names that key columns cannot have: the quarantine table has these columns next to the key. */
export const RESERVED_FOR_KEYS: readonly string[] = REJECTION.map((column) => column.name);

/** The names of a job's tables. */
export interface TableNames {
  readonly scores: TableName;
  readonly quarantine: TableName;
  readonly ledger: TableName;
  readonly report: TableName | undefined;
  readonly summary: TableName | undefined;
  readonly drift?: TableName | undefined;
  readonly evaluation?: TableName | undefined;
}

/**
 * Which columns come with each score. `wide` has ranks and the model; `narrow` leaves those to the run's ledger entry;
 * `slim` leaves everything to it except the window's start and the publication number.
 */
export const SCORE_LAYOUTS = ['wide', 'narrow', 'slim'] as const;
export type ScoreLayout = (typeof SCORE_LAYOUTS)[number];

const LAYOUT_COLUMNS: Readonly<Record<ScoreLayout, readonly TableColumn[]>> = {
  wide: [...PUBLICATION, ...MODEL],
  narrow: [...TRACE, instant('scored_at')],
  slim: SLIM_TRACE,
};

/** What the layouts of a job's tables depend on. `key` and `keep` are columns of its query. */
export interface TableOptions extends OptionalColumns {
  readonly key: readonly Column[];
  readonly keep: readonly Column[];
  readonly scoreColumn: string;
  /** `wide` by default. */
  readonly layout?: ScoreLayout;
}

/** The layouts of a job's tables. */
export function tablesOf(names: TableNames, { key, keep, scoreColumn, layout = 'wide', ...options }: TableOptions): Tables {
  const keys = key.map(asTableColumn);
  const own = [...keys, ...keep.map(asTableColumn)];
  const score = decimal(scoreColumn, 7, SCORE_SCALE);
  const place = [...PLACE, ...optionalColumns(options)];
  return {
    scores: { name: names.scores, columns: [...own, score, ...(layout === 'wide' ? place : []), ...LAYOUT_COLUMNS[layout]] },
    quarantine: { name: names.quarantine, columns: [...keys, ...REJECTION, ...PUBLICATION] },
    ledger: ledgerLayout(names.ledger),
    report: names.report && { name: names.report, columns: [...own, score, ...place, ...PUBLICATION] },
    summary: names.summary && { name: names.summary, columns: [...SEGMENT, ...TOTALS, ...PUBLICATION] },
    drift: names.drift && { name: names.drift, columns: [...DRIFT, ...PUBLICATION] },
    ...(names.evaluation && { evaluation: evaluationLayout(names.evaluation) }),
  };
}

/**
 * The tables of a job by name, for commands that do not know the columns of its query: scores, quarantine and report lack the
 * key and kept columns.
 */
export function tablesByName(names: TableNames, scoreColumn: string, layout: ScoreLayout): Tables {
  return tablesOf(names, { key: [], keep: [], scoreColumn, layout });
}

/** The layout of a ledger, which is the same for every job. */
export function ledgerLayout(name: TableName): TableLayout {
  return { name, columns: LEDGER };
}

/** The layout of an evaluation table, which is the same for every job. */
export function evaluationLayout(name: TableName): TableLayout {
  return { name, columns: [...EVALUATION, ...PUBLICATION] };
}

/** Whether a table has a column for the job. A slim table does not: all its rows are of one job. */
export function namesJob({ columns }: Pick<TableLayout, 'columns'>): boolean {
  return columns.some(({ name }) => name === 'job');
}

/** Whether the published rows have ranks. Ranks require a sort of the whole window. */
export function isRanked({ columns }: Pick<TableLayout, 'columns'>): boolean {
  return columns.some(({ name }) => name === 'rank');
}

export function asTableColumn({ name, type, digits }: Column): TableColumn {
  if (type === 'other') throw new TypeError(`column ${name} cannot be published`);
  return { name, type, ...(digits && { digits }) };
}
