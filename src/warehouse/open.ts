import { schemeOf, showUrl, WAREHOUSE_KINDS, warehouseKind } from '../domain/warehouse-kind.ts';
import { ScoreBatchError } from '../errors.ts';
import { didYouMean } from '../suggest.ts';
import type { Warehouse, WarehouseOptions } from './warehouse.ts';

/**
 * The warehouse behind a URL; the one place that knows all kinds. Nothing is connected yet. Each kind is loaded when it is asked
 * for: the clients of the others would double the time that a run takes to start.
 *
 * @throws ScoreBatchError `configuration` where the URL is of no known kind
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
      throw new ScoreBatchError('configuration', `the warehouse ${JSON.stringify(showUrl(url))} is of no known kind`, {
        hint: scheme === undefined ? 'write it like duckdb:data/warehouse.duckdb' : didYouMean(scheme, WAREHOUSE_KINDS),
      });
    }
  }
}
