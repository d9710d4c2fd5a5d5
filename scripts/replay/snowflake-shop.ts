import snowflake from 'snowflake-sdk';
import { startEmulator } from './emulator.ts';
import type { RunSql, Shop } from './shop.ts';

const DATABASE = 'REPLAY';

/** The shop as a database of an emulator. */
export async function snowflakeShop(folder: string): Promise<Shop> {
  const { address, stop } = await startEmulator<{ readonly url: string }>('snowflake', folder);
  const account = { account: 'fakesnow', username: 'fake', password: 'snow', database: DATABASE, schema: 'PUBLIC' };
  snowflake.configure({ logLevel: 'ERROR' });
  return {
    kind: 'snowflake',
    url: `snowflake://fakesnow/${DATABASE}/PUBLIC?warehouse=W`,
    environment: {
      SNOWFLAKE_ACCESS_URL: address.url,
      SNOWFLAKE_USER: account.username,
      SNOWFLAKE_PASSWORD: account.password,
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    },
    types: { integer: 'number(18, 0)', decimal: 'number(10, 2)', boolean: 'boolean', timestamp: 'timestamp_tz' },
    orders: 'orders',
    position: '"POSITION"',
    instant: (column) => `to_char(convert_timezone('UTC', ${column}), 'YYYY-MM-DD"T"HH24:MI:SS.FF6') || 'Z'`,
    async visit(work) {
      const connection = snowflake.createConnection({ ...account, accessUrl: address.url });
      await connection.connectAsync();
      try {
        return await work(statementsOf(connection));
      } finally {
        await new Promise((resolve) => connection.destroy(resolve));
      }
    },
    stop,
  };
}

/** Makes column names lower case, as in the other warehouses. */
function statementsOf(connection: snowflake.Connection): RunSql {
  return async (sqlText) => {
    const rows = await new Promise<Record<string, unknown>[]>((resolve, reject) => {
      const complete = (error: Error | undefined, _: unknown, found: Record<string, unknown>[] | undefined) =>
        error ? reject(error) : resolve(found ?? []);
      connection.execute({ sqlText, complete });
    });
    return rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name.toLowerCase(), value])));
  };
}
