import { RetryBudget } from '../retry-budget.ts';
import { readTimeouts, type Timeouts } from '../timeouts.ts';
import type { Warehouse, WarehouseOptions } from '../warehouse.ts';
import { connect } from './connection.ts';
import { translated } from './errors.ts';
import { bigqueryLedger } from './ledger.ts';
import { parseDataset } from './names.ts';
import { bigquerySink } from './sink.ts';
import { bigquerySource } from './source.ts';
import { parseUrl } from './url.ts';

/**
 * BigQuery as a warehouse: `bigquery://project/dataset?location=EU`. Does not connect. BIGQUERY_EMULATOR_HOST (a URL, or
 * host:port) selects an emulator, as in Google's client. BIGQUERY_STORAGE_EMULATOR_HOST (host:port, without TLS) does the
 * same for the Storage API; Google's client has no such variable.
 *
 * @throws ScoreBatchError `configuration` if the URL is malformed
 */
export function openBigquery(options: WarehouseOptions, timeouts: Timeouts = readTimeouts(options.environment)): Warehouse {
  const { job, maxBytes, environment, memory, signal, working } = options;
  const { project, dataset, location } = parseUrl(options.url);
  const home = { project, dataset };
  const scratch = parseDataset(options.scratch, project);
  const budget = new RetryBudget('BigQuery');
  const connection = connect({
    ...{ home, scratch, location, job, maxBytes, environment, memory, timeouts, budget, signal, working },
  });
  return {
    kind: 'bigquery',
    reach: () => translated(connection, () => connection.reach(), 'looking for the dataset'),
    source: bigquerySource(connection),
    sink: bigquerySink(connection),
    ledger: (layout) => bigqueryLedger(connection, layout),
    async close() {
      connection.storage.close();
    },
  };
}
