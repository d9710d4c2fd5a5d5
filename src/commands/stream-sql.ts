import type { Context } from '../context.ts';
import { parseTableName } from '../domain/table-name.ts';
import { WAREHOUSE_KINDS, type WarehouseKind } from '../domain/warehouse-kind.ts';
import { ScoreBatchError } from '../errors.ts';
import { eventSql } from '../event-features/sql/event-sql.ts';
import type { StreamSqlOutput } from '../json/stream.ts';
import { readStreamSettings } from '../stream/settings/read.ts';
import { didYouMean } from '../suggest.ts';
import type { JobFlags } from './options.ts';

export interface StreamSqlFlags extends JobFlags {
  readonly table: string;
  readonly warehouse?: string;
}

/** The features of a stream job as a SELECT, which a training set is made with. */
export async function streamSqlCommand(
  { job, table, warehouse = 'duckdb' }: StreamSqlFlags,
  { folder, environment, subject }: Context,
): Promise<{ readonly data: StreamSqlOutput; readonly text: string }> {
  const name = parseTableName(table);
  if (name === undefined) {
    throw new ScoreBatchError('usage', `--table ${table} is not the name of a table`, {
      hint: 'write schema.table, with double quotes around unusual names',
    });
  }
  const kind = kindOf(warehouse);
  const settings = await readStreamSettings(job, folder, environment);
  subject.job = settings.name;
  const { features } = settings;
  const sql = eventSql(features, { table: name, kind });
  return { data: { job: settings.name, warehouse: kind, features_digest: features.digest, sql }, text: sql };
}

function kindOf(text: string): WarehouseKind {
  const found = WAREHOUSE_KINDS.find((kind) => kind === text);
  if (found !== undefined) return found;
  throw new ScoreBatchError('usage', `--warehouse: there is no warehouse ${text}`, { hint: didYouMean(text, WAREHOUSE_KINDS) });
}
