import { ScoreBatchError } from '../errors.ts';
import { didYouMean } from '../suggest.ts';
import { openDuckdb } from './duckdb/open.ts';
import { WAREHOUSE_KINDS, type Warehouse, type WarehouseOptions } from './warehouse.ts';

/**
 * The warehouse behind a URL; the one place that knows all kinds.
 *
 * @throws ScoreBatchError `configuration` where the URL is of no known kind
 */
export function openWarehouse(url: string, options: WarehouseOptions): Warehouse {
  const kind = /^([a-z]+):/i.exec(url)?.[1]?.toLowerCase();
  switch (kind) {
    case 'duckdb':
      return openDuckdb(url, options);
    default:
      throw new ScoreBatchError('configuration', `the warehouse ${JSON.stringify(url)} is of no known kind`, {
        hint: kind === undefined ? 'write it like duckdb:data/warehouse.duckdb' : didYouMean(kind, WAREHOUSE_KINDS),
      });
  }
}
