import { schemeOf, showUrl, WAREHOUSE_KINDS, warehouseKind } from '../domain/warehouse-kind.ts';
import { ScoreBatchError } from '../errors.ts';
import { didYouMean } from '../suggest.ts';
import type { Warehouse, WarehouseOptions } from './warehouse.ts';

/**
 * The warehouse behind a URL. This is the only place that knows all kinds. It does not connect. Each kind is imported on
 * demand, because loading all clients would double the start-up time of a run.
 *
 * @throws ScoreBatchError `configuration` if the kind of warehouse is unsupported
 */
export async function openWarehouse(options: WarehouseOptions): Promise<Warehouse> {
  const { url } = options;
  switch (warehouseKind(url)) {
    case 'duckdb':
      return (await import('./duckdb/open.ts')).openDuckdb(options);
    case 'bigquery':
      return (await import('./bigquery/open.ts')).openBigquery(options);
    case 'snowflake':
      return (await import('./snowflake/open.ts')).openSnowflake(options);
    case undefined: {
      const scheme = schemeOf(url);
      throw new ScoreBatchError('configuration', `unsupported warehouse ${JSON.stringify(showUrl(url))}`, {
        hint: scheme === undefined ? 'write it like duckdb:data/warehouse.duckdb' : didYouMean(scheme, WAREHOUSE_KINDS),
      });
    }
  }
}
