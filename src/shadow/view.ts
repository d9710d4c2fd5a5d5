import { inMillionths } from '../compare/scored-rows.ts';
import type { Bands } from '../domain/bands.ts';
import { showTableName, type TableName } from '../domain/table-name.ts';
import type { ScoreLayout } from '../domain/tables.ts';
import type { Job } from '../job/load.ts';
import type { Dialect } from '../warehouse/dialect.ts';
import type { Sink } from '../warehouse/warehouse.ts';
import { type ShadowSpec, shadowSpec } from './spec.ts';

/** Outcome for the view that people read; `waiting`: a table that it reads does not exist yet. */
export interface EnsuredView {
  readonly view: TableName;
  readonly state: 'created' | 'replaced' | 'unchanged' | 'waiting';
  /** Names of the tables that are missing. */
  readonly missing: readonly string[];
}

/**
 * Creates the view `incremental.shadow.view`, or replaces it if the job has other bands or columns by now: key, kept columns
 * and score, then `band`, `model_version`, `model_digest`, `scored_at`, and `origin`, which is `batch` or `current`.
 *
 * @returns undefined if the job has no such view
 * @throws ScoreBatchError `configuration` if a table, or a view that is not the job's, has that name
 */
export async function ensureView({ definition }: Pick<Job, 'definition'>, sink: Sink): Promise<EnsuredView | undefined> {
  const spec = shadowSpec(definition);
  if (spec === undefined) return undefined;
  const { view, current, scores, ledger } = spec;
  const missing = await sink.read(async ({ find }) => {
    const names: string[] = [];
    for (const name of [current, scores, ledger])
      if ((await find({ name, columns: [] })) === undefined) names.push(showTableName(name));
    return names;
  });
  if (missing.length > 0) return { view, state: 'waiting', missing };
  const columns: ViewColumns = {
    ...{ key: definition.source.key, keep: definition.sink.keep, score: definition.score.column },
    ...{ layout: definition.sink.layout, bands: spec.incremental.bands ?? definition.score.bands },
  };
  const state = await sink.view({
    name: view,
    job: spec.job,
    select: (dialect, table, mark) => selectShadow(spec, columns, { dialect, table, mark }),
  });
  return { view, state, missing };
}

/** The columns of a job in the view. Bands are thresholds. */
interface ViewColumns {
  readonly key: readonly string[];
  readonly keep: readonly string[];
  readonly score: string;
  readonly layout: ScoreLayout;
  readonly bands: Bands;
}

interface ViewSql {
  readonly dialect: Dialect;
  readonly table: (name: TableName) => string;
  readonly mark: string;
}

/** The newest `switched` entry decides which half of the union has rows, so a single ledger row switches what people read. */
function selectShadow(spec: ShadowSpec, columns: ViewColumns, sql: ViewSql): string {
  const { dialect, table, mark } = sql;
  const { literal, identifier } = dialect;
  const reads = `COALESCE((SELECT window_label FROM ${table(spec.ledger)} WHERE job = ${literal(spec.slices)}
    AND state = ${literal('switched')} ORDER BY entry_number DESC LIMIT 1), ${literal('batch')})`;
  const own = [...columns.key, ...columns.keep, columns.score].map(identifier).join(', ');
  const marked = mark === '' ? '' : ` AND ${mark}`;
  return `SELECT ${own}, band, model_version, model_digest, scored_at, ${literal('current')} AS origin
    FROM ${table(spec.current)}
    WHERE job = ${literal(spec.slices)} AND NOT COALESCE(deleted, FALSE) AND ${identifier(columns.score)} IS NOT NULL
      AND ${reads} = ${literal('current')}
    UNION ALL
    SELECT ${own}, ${bandOf(dialect, columns)} AS band, model_version, model_digest, scored_at, ${literal('batch')} AS origin
    FROM (${newestRows(spec, columns, sql)}) newest
    WHERE place_of_row = 1 AND ${reads} = ${literal('batch')}${marked}`;
}

/** The rows of the batch, numbered per user with the newest window first. */
function newestRows({ job, scores, ledger }: ShadowSpec, { key, keep, score, layout }: ViewColumns, sql: ViewSql): string {
  const { dialect, table } = sql;
  const { identifier, literal } = dialect;
  const of = (name: string) => `published.${identifier(name)}`;
  // Layouts without the model's columns get them from the ledger.
  const runs = (by: string) => `SELECT ${by}, MAX(window_end) AS window_end, MAX(model_version) AS model_version,
      MAX(model_digest) AS model_digest FROM ${table(ledger)}
    WHERE job = ${literal(job)} AND state = ${literal('published')} GROUP BY ${by}`;
  const parts: Readonly<Record<ScoreLayout, { readonly model: string; readonly end: string; readonly join: string }>> = {
    wide: { model: 'published', end: 'published', join: '' },
    narrow: { model: 'runs', end: 'published', join: `JOIN (${runs('run_id')}) runs ON runs.run_id = published.run_id` },
    slim: {
      ...{ model: 'runs', end: 'runs' },
      join: `JOIN (${runs('window_start, publication')}) runs
        ON runs.window_start = published.window_start AND runs.publication = published.publication`,
    },
  };
  const { model, end, join } = parts[layout];
  const scoredAt =
    layout === 'slim' ? `CAST(NULL AS ${dialect.type({ type: 'timestamp' })}) AS scored_at` : 'published.scored_at';
  const columns = [...[...key, ...keep, score].map(of), `${model}.model_version`, `${model}.model_digest`, scoredAt];
  // If two windows end together, the longer one comes first.
  const place = `ROW_NUMBER() OVER (PARTITION BY ${key.map(of).join(', ')}
    ORDER BY ${end}.window_end DESC, published.window_start) AS place_of_row`;
  return `SELECT ${[...columns, place].join(', ')} FROM ${table(scores)} published ${join}
    ${layout === 'slim' ? '' : `WHERE published.job = ${literal(job)}`}`;
}

/** The band by thresholds, compared in whole millionths as in publications. */
function bandOf(dialect: Dialect, { score, bands: { bounds, rest } }: ViewColumns): string {
  const { identifier, literal } = dialect;
  if (bounds.length === 0) return literal(rest);
  const millionths = inMillionths(dialect, identifier(score));
  return `CASE ${bounds.map(({ name, bound }) => `WHEN ${millionths} >= ${bound} THEN ${literal(name)}`).join(' ')} ELSE ${literal(rest)} END`;
}
