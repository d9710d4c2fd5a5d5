import { showTableName } from '../../domain/table-name.ts';
import type { ErasureSpec } from '../erasure.ts';
import { countEntries, eraseRows, rankGaps } from '../sql/erase.ts';
import { SNOWFLAKE } from './dialect.ts';
import { doubled } from './doubled.ts';
import { lockTable, withPublishLock } from './publish-lock.ts';
import type { Session } from './session.ts';
import { inAccount, type Snowflake } from './snowflake.ts';
import { ensureLock } from './tables.ts';

/** Erases in one transaction, and counts before it commits: the driver can send a statement twice. */
export async function erase(snowflake: Snowflake, erasure: ErasureSpec): Promise<boolean> {
  const spec = { ...erasure, ledger: inAccount(snowflake, erasure.ledger) };
  const lock = lockTable(snowflake, spec.ledger);
  await ensureLock(snowflake, lock);
  const { runId } = spec.entry;
  return await withPublishLock(snowflake, lock, runId, async (session, { fence }) => {
    if ((await entriesOf(session, spec)) !== spec.seen) return { commit: false, result: false };
    const gaps = await gapsOf(session, spec);
    for (const sql of eraseRows(SNOWFLAKE, spec, fence)) await session.rows(sql);
    for (const [i, gap] of (await gapsOf(session, spec)).entries())
      if (gap !== gaps[i]) throw doubled(`the ranks of ${showTableName(spec.found[i]?.name ?? [])} have gaps`);
    const added = (await entriesOf(session, spec)) - spec.seen;
    const expected = spec.corrections.length + 1;
    if (added !== expected) throw doubled(`the ledger has ${added} new entries, expected ${expected}`);
    return { commit: true, result: true };
  });
}

async function entriesOf(session: Session, spec: ErasureSpec): Promise<number> {
  const [[count] = []] = await session.rows(`SELECT CAST(${countEntries(SNOWFLAKE, spec)} AS VARCHAR)`);
  return Number(count);
}

/** See `rankGaps`; one string per table that lost rows. */
async function gapsOf(session: Session, { found }: ErasureSpec): Promise<(string | null | undefined)[]> {
  const gaps: (string | null | undefined)[] = [];
  for (const table of found) {
    const sql = rankGaps(SNOWFLAKE, table);
    gaps.push(sql === undefined ? undefined : (await session.rows(sql))[0]?.[0]);
  }
  return gaps;
}
