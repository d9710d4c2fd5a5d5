import type { Column } from './schema.ts';
import { suffixed, type TableName } from './table-name.ts';
import { asTableColumn, SCORE_SCALE, type TableColumn, type TableLayout } from './tables.ts';

const CURRENT: readonly TableColumn[] = [
  { name: 'band', type: 'string' },
  { name: 'previous_score', type: 'decimal', digits: [7, SCORE_SCALE] },
  { name: 'changed_at', type: 'timestamp' },
  { name: 'reason', type: 'string' },
  { name: 'deleted', type: 'bool' },
  { name: 'skip_key', type: 'integer' },
  { name: 'position', type: 'integer' },
  { name: 'as_of', type: 'timestamp' },
  { name: 'job', type: 'string' },
  { name: 'run_id', type: 'string' },
  { name: 'model_name', type: 'string' },
  { name: 'model_version', type: 'string' },
  { name: 'model_digest', type: 'string' },
  { name: 'scored_at', type: 'timestamp' },
];

/** Names that a job's own columns cannot have if it has a current table, lower case. */
export const RESERVED_IN_CURRENT: readonly string[] = CURRENT.map(({ name }) => name);

interface CurrentColumns {
  readonly key: readonly Column[];
  readonly keep: readonly Column[];
  readonly scoreColumn: string;
}

/**
 * The table with one row per user: key, kept columns, score, and
 * - `band`: by the thresholds of `score.bands`; null without a score
 * - `previous_score`: the last score that differed; `changed_at`: the `as_of` at which score, reason or `deleted` changed
 * - `reason`: why the user is quarantined, with a null score. `deleted`: whether the query no longer returns the user
 * - `skip_key`: hash of the encoded features, see `FeatureHasher`; null without a score
 * - `position`: publication number of the slice that wrote the row; `as_of`: its instant
 * - `run_id`, `model_…`: what made the score, or took it away; `scored_at`: when the model made it, null without a score
 */
export function currentLayout(name: TableName, { key, keep, scoreColumn }: CurrentColumns): TableLayout {
  const score: TableColumn = { name: scoreColumn, type: 'decimal', digits: [7, SCORE_SCALE] };
  return { name, columns: [...[...key, ...keep].map(asTableColumn), score, ...CURRENT] };
}

/**
 * The rows of the current table, except deleted ones, at the ends of batch windows that are not compared yet: key, score,
 * reason, model, and `boundary`, the end of the window.
 */
export function boundaryLayout(current: TableName, { key, scoreColumn }: Omit<CurrentColumns, 'keep'>): TableLayout {
  return {
    name: suffixed(current, '_boundary'),
    columns: [
      ...key.map(asTableColumn),
      { name: scoreColumn, type: 'decimal', digits: [7, SCORE_SCALE] },
      { name: 'reason', type: 'string' },
      { name: 'model_digest', type: 'string' },
      { name: 'boundary', type: 'timestamp' },
      { name: 'job', type: 'string' },
    ],
  };
}
