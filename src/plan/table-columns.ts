import type { Context } from '../context.ts';
import type { Schema } from '../domain/schema.ts';
import { warehouseKind } from '../domain/warehouse-kind.ts';
import { readMachine } from '../sizing/machine.ts';
import { machineBound, mainDatabase } from '../sizing/memory-plan.ts';
import { openWarehouse } from '../warehouse/open.ts';

/**
 * Columns of a table in a warehouse, before any job names it. Reads no rows.
 *
 * @param table as written in a query, quoted if necessary
 * @throws ScoreBatchError if the warehouse or the table does not exist
 */
export async function tableColumns(url: string, table: string, context: Context): Promise<Schema> {
  const { cores, memory } = readMachine();
  const { environment, signal, console } = context;
  const warehouse = await openWarehouse({
    url,
    job: 'init',
    root: context.folder,
    scratch: 'scratch',
    memory: mainDatabase(machineBound(memory), { local: warehouseKind(url) === 'duckdb', cores }),
    maxBytes: undefined,
    environment,
    signal,
    warn: (message) => console.warn(message),
  });
  context.atEnd(() => warehouse.close());
  await warehouse.reach();
  return await warehouse.source.describe({ name: `the table ${table}`, texts: [`select * from ${table}`], parameters: [] });
}
