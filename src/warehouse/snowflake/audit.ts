import type { TableReader } from '../reader.ts';
import { auditBy } from '../sql/audit.ts';
import type { Audit } from '../warehouse.ts';
import { SNOWFLAKE } from './dialect.ts';
import { inAccount, run, type Snowflake, translated } from './snowflake.ts';
import { tableExists } from './tables.ts';

export function snowflakeAudit(snowflake: Snowflake): Audit {
  return auditBy((work) => translated(snowflake, () => work(readerOf(snowflake))));
}

/** Reads tables of the account. */
export function readerOf(snowflake: Snowflake): TableReader {
  return {
    dialect: SNOWFLAKE,
    async find(layout) {
      const found = inAccount(snowflake, layout);
      return (await tableExists(snowflake, found.name)) ? found : undefined;
    },
    rows: (sql) => run(snowflake, sql),
  };
}
