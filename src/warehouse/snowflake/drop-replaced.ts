import type { AgedRows } from '../publication-spec.ts';
import { dropAged } from '../sql/replaced.ts';
import { SNOWFLAKE } from './dialect.ts';
import { lockTable, withPublishLock } from './publish-lock.ts';
import { inAccount, type Snowflake } from './snowflake.ts';
import { ensureLock } from './tables.ts';

/** Deletes in one transaction that holds the publish lock. */
export async function dropReplaced(snowflake: Snowflake, { tables, job, before, ...layout }: AgedRows): Promise<void> {
  const lock = lockTable(snowflake, inAccount(snowflake, layout.ledger));
  await ensureLock(snowflake, lock);
  await withPublishLock(snowflake, lock, undefined, async (session, { fence }) => {
    for (const table of tables)
      await session.rows(`${dropAged(SNOWFLAKE, inAccount(snowflake, table), job, before)} AND ${fence}`);
    return { commit: true, result: undefined };
  });
}
