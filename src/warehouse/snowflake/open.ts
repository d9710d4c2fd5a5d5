import { parseTableName } from '../../domain/table-name.ts';
import { ScoreBatchError } from '../../errors.ts';
import { abortAfterGracePeriod } from '../timeouts.ts';
import type { Warehouse, WarehouseOptions } from '../warehouse.ts';
import { openClient } from './client.ts';
import { snowflakeLedger } from './ledger.ts';
import { queryTag } from './session.ts';
import { snowflakeSink } from './sink.ts';
import { run, type Snowflake, translated } from './snowflake.ts';
import { snowflakeSource } from './source.ts';
import { parseTarget } from './target.ts';

/**
 * A Snowflake account as a warehouse; see `parseTarget` for its URL. Does not connect.
 *
 * @throws ScoreBatchError `configuration` if the URL or the scratch schema is not valid
 */
export function openSnowflake(options: WarehouseOptions): Warehouse {
  const { url, job, scratch, memory, unload = false, signal, environment, warn, working } = options;
  const target = parseTarget(url);
  const [schema, database = target.database, ...more] = [...(parseTableName(scratch) ?? [])].reverse();
  if (schema === undefined || more.length > 0) {
    throw new ScoreBatchError('configuration', `${scratch} is not a valid name for a scratch schema`, {
      hint: 'use a schema of the database in the URL, or database.schema',
    });
  }
  let warned = false;
  const login = {
    target,
    environment,
    // Warn once, however many connections there are.
    warn: (message: string) => {
      if (!warned) warn(message);
      warned = true;
    },
    working,
  };
  const shared = { target, scratch: [database, schema] as const, job, memory, unload };
  const snowflake: Snowflake = { ...shared, client: openClient(login, queryTag(job), signal), signal };
  // The ledger has a grace period, so that the outcome is recorded even if a signal has just ended the run.
  const graceSignal = abortAfterGracePeriod(signal);
  const graceful: Snowflake = { ...shared, client: openClient(login, queryTag(job), graceSignal), signal: graceSignal };
  return {
    kind: 'snowflake',
    async reach() {
      await translated(snowflake, () => run(snowflake, 'SELECT 1 AS one'), 'connecting to the account');
    },
    source: snowflakeSource(snowflake),
    sink: snowflakeSink(snowflake),
    ledger: (layout) => snowflakeLedger(graceful, layout),
    async close() {
      await Promise.all([snowflake.client.close(), graceful.client.close()]);
    },
  };
}
