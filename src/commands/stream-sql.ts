import type { Context } from '../context.ts';
import { parseTableName } from '../domain/table-name.ts';
import { WAREHOUSE_KINDS, type WarehouseKind } from '../domain/warehouse-kind.ts';
import { ScoreBatchError } from '../errors.ts';
import type { EventFeatures } from '../event-features/definition.ts';
import { digestOfSql, eventSql } from '../event-features/sql/event-sql.ts';
import { type Job, loadJob } from '../job/load.ts';
import { bindWindow } from '../job/parameters.ts';
import type { StreamSqlOutput } from '../json/stream.ts';
import { readStreamSettings } from '../stream/settings/read.ts';
import { didYouMean } from '../suggest.ts';
import { windowOf } from '../window/window.ts';
import type { JobFlags } from './options.ts';

export interface StreamSqlFlags extends JobFlags {
  readonly table?: string;
  readonly warehouse?: string;
  readonly batch?: string;
  /** Epoch milliseconds. */
  readonly from?: number;
  readonly to?: number;
}

const INSTANT: Readonly<Record<WarehouseKind, string>> = {
  duckdb: 'TIMESTAMP WITH TIME ZONE',
  bigquery: 'TIMESTAMP',
  snowflake: 'TIMESTAMP_TZ',
};

// No colon before a name, so that no tool takes it for a parameter.
const PARAMETERS =
  "-- window_start and window_end are parameters, as in a batch job's query. For SQL that runs as it is, add --from and --to.";

/**
 * The features of a stream job as a SELECT for building a training set: over a table, or as in a batch job, with attributes.
 */
export async function streamSqlCommand(
  { job, table, warehouse, batch, from, to }: StreamSqlFlags,
  { folder, environment, subject }: Context,
): Promise<{ readonly data: StreamSqlOutput; readonly text: string }> {
  if ((table === undefined) === (batch === undefined) || (batch !== undefined && warehouse !== undefined)) {
    throw new ScoreBatchError('usage', 'give either --table, with --warehouse if it is not DuckDB, or --batch', {
      hint: 'a batch job names the table, the warehouse and the attributes in source',
    });
  }
  if ((from === undefined) !== (to === undefined)) {
    throw new ScoreBatchError('usage', 'give both --from and --to, or neither', {
      hint: "without them the SQL has the parameters :window_start and :window_end, as a batch job's query",
    });
  }
  if (from !== undefined && to !== undefined && from >= to) {
    throw new ScoreBatchError('usage', '--from must be before --to', {
      hint: 'events with --from <= time < --to are selected',
    });
  }
  const settings = await readStreamSettings(job, folder, environment);
  subject.job = settings.name;
  const { features } = settings;
  const found =
    batch === undefined
      ? ofTable(features, table ?? '', warehouse ?? 'duckdb')
      : ofBatch(features, await loadJob(batch, folder, environment));
  const sql = from === undefined || to === undefined ? withComment(found.sql) : withValues(found, from, to);
  return { data: { job: settings.name, warehouse: found.kind, features_digest: features.digest, sql }, text: sql };
}

/** The first line stays: it has the digest of the features. */
function withComment(sql: string): string {
  const [first, ...rest] = sql.split('\n');
  return [first, PARAMETERS, ...rest].join('\n');
}

function withValues({ kind, sql }: KindSql, from: number, to: number): string {
  const { texts, parameters } = bindWindow(sql, windowOf(from, to, 'UTC'), 'the SQL', kind);
  return texts
    .map((text, i) => {
      const parameter = parameters[i];
      return parameter === undefined ? text : `${text}CAST('${parameter.value}' AS ${INSTANT[kind]})`;
    })
    .join('');
}

interface KindSql {
  readonly kind: WarehouseKind;
  readonly sql: string;
}

function ofTable(features: EventFeatures, table: string, warehouse: string): KindSql {
  const name = parseTableName(table);
  if (name === undefined) {
    throw new ScoreBatchError('usage', `--table ${table} is not the name of a table`, {
      hint: 'write schema.table, with double quotes around unusual names',
    });
  }
  const kind = kindOf(warehouse);
  return { kind, sql: eventSql(features, { table: name, kind }) };
}

/** @throws ScoreBatchError `configuration` if the job scores something other than these features */
function ofBatch({ digest }: EventFeatures, { definition, kind, query }: Job): KindSql {
  if (digestOfSql(query) === digest) return { kind, sql: query };
  const { events } = definition.source;
  const what = events === undefined ? 'has no source.events' : 'does not have the features of the stream job';
  throw new ScoreBatchError('configuration', `${definition.name} ${what}`, {
    hint: 'name a batch job whose source.events uses the feature file of the stream job',
  });
}

function kindOf(text: string): WarehouseKind {
  const found = WAREHOUSE_KINDS.find((kind) => kind === text);
  if (found !== undefined) return found;
  throw new ScoreBatchError('usage', `--warehouse: there is no warehouse ${text}`, { hint: didYouMean(text, WAREHOUSE_KINDS) });
}
