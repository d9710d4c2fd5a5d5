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
 * BigQuery as a warehouse: `bigquery://project/dataset?location=EU`. Nothing is connected yet. Emulators are found by
 * BIGQUERY_EMULATOR_HOST (a URL, or host:port), which Google's client knows too, and BIGQUERY_STORAGE_EMULATOR_HOST
 * (host:port, without TLS), which is of this project: Google's client for the Storage API has no such variable.
 *
 * @throws ScoreBatchError `configuration` where the URL is malformed
 */
export function openBigquery(options: WarehouseOptions, timeouts: Timeouts = readTimeouts(options.environment)): Warehouse {
  const { job, maxBytes, environment, memory, signal } = options;
  const { project, dataset, location } = parseUrl(options.url);
  const home = { project, dataset };
  const scratch = parseDataset(options.scratch, project);
  const budget = new RetryBudget('BigQuery');
  const connection = connect({ home, scratch, location, job, maxBytes, environment, memory, timeouts, budget, signal });
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
