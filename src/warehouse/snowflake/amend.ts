import { currentPublication } from '../../domain/ledger.ts';
import { showTableName } from '../../domain/table-name.ts';
import type { Amendment } from '../publication-spec.ts';
import { countAmended, replaceAmended } from '../sql/amendment.ts';
import { insertEntry } from '../sql/ledger.ts';
import { SNOWFLAKE } from './dialect.ts';
import { doubled } from './doubled.ts';
import { isSame, readEntries } from './ledger.ts';
import { lockTable, withPublishLock } from './publish-lock.ts';
import { inAccount, type Snowflake } from './snowflake.ts';
import { ensureLock, ensureTable, tableExists } from './tables.ts';

/** Amends in one transaction. The table is created first, because DDL would commit the transaction. */
export async function amend(snowflake: Snowflake, { entry, rows, ...tables }: Amendment): Promise<boolean> {
  const [ledger, table] = [inAccount(snowflake, tables.ledger), inAccount(snowflake, tables.table)];
  if (!(await tableExists(snowflake, ledger.name))) return false;
  const lock = lockTable(snowflake, ledger);
  await ensureTable(snowflake, table);
  await ensureLock(snowflake, lock);
  return await withPublishLock(snowflake, lock, entry.runId, async (session, { commitUnknown, fence }) => {
    const entries = await readEntries(session, snowflake, ledger, { job: entry.job, window: entry.window });
    if (currentPublication(entries)?.runId !== entry.runId) return { commit: false, result: false };
    // If this process's own COMMIT had no answer, it did succeed.
    if (commitUnknown && entries.some((other) => isSame(other, entry))) return { commit: false, result: true };
    for (const sql of replaceAmended(SNOWFLAKE, { table, rows, entry }, fence)) await session.rows(sql);
    await session.rows(`${insertEntry(SNOWFLAKE, ledger, entry)} HAVING ${fence}`);
    const [[counted] = []] = await session.rows(countAmended(SNOWFLAKE, { table, entry }));
    if (Number(counted) !== rows.length)
      throw doubled(`${showTableName(table.name)} has ${counted} rows, expected ${rows.length}`);
    return { commit: true, result: true };
  });
}
