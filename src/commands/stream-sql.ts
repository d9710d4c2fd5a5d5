import type { Context } from '../context.ts';
import { parseTableName } from '../domain/table-name.ts';
import { WAREHOUSE_KINDS, type WarehouseKind } from '../domain/warehouse-kind.ts';
import { ScoreBatchError } from '../errors.ts';
import type { EventFeatures } from '../event-features/definition.ts';
import { digestOfSql, eventSql } from '../event-features/sql/event-sql.ts';
import { type Job, loadJob } from '../job/load.ts';
import type { StreamSqlOutput } from '../json/stream.ts';
import { readStreamSettings } from '../stream/settings/read.ts';
import { didYouMean } from '../suggest.ts';
import type { JobFlags } from './options.ts';

export interface StreamSqlFlags extends JobFlags {
  readonly table?: string;
  readonly warehouse?: string;
  readonly batch?: string;
}

/**
 * The features of a stream job as a SELECT for building a training set: over a table, or as in a batch job, with attributes.
 */
export async function streamSqlCommand(
  { job, table, warehouse, batch }: StreamSqlFlags,
  { folder, environment, subject }: Context,
): Promise<{ readonly data: StreamSqlOutput; readonly text: string }> {
  if ((table === undefined) === (batch === undefined) || (batch !== undefined && warehouse !== undefined)) {
    throw new ScoreBatchError('usage', 'give either --table, with --warehouse if it is not DuckDB, or --batch', {
      hint: 'a batch job names the table, the warehouse and the attributes in source',
    });
  }
  const settings = await readStreamSettings(job, folder, environment);
  subject.job = settings.name;
  const { features } = settings;
  const { kind, sql } =
    batch === undefined
      ? ofTable(features, table ?? '', warehouse ?? 'duckdb')
      : ofBatch(features, await loadJob(batch, folder, environment));
  return { data: { job: settings.name, warehouse: kind, features_digest: features.digest, sql }, text: sql };
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
