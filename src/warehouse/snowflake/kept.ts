import { showTableName } from '../../domain/table-name.ts';
import type { PublicationSpec } from '../publication-spec.ts';
import type { PublicationTables } from '../sql/publishing.ts';
import { countKept, countToKeep, replacedPublications } from '../sql/replaced.ts';
import { SNOWFLAKE } from './dialect.ts';
import { doubled } from './doubled.ts';
import type { Session } from './session.ts';

/** Numbers of rows that will be kept, by table and publication, in the order of `refuseOtherKept`. Call it before they move. */
export async function countReplaced(session: Session, tables: PublicationTables, spec: PublicationSpec): Promise<number[]> {
  const counts: number[] = [];
  if (spec.history === 0) return counts;
  for (const replaced of replacedPublications(spec)) {
    for (const one of tables.kept) {
      const [[rows] = []] = await session.rows(countToKeep(SNOWFLAKE, one, tables.ledger, { entry: spec.entry, replaced }));
      counts.push(Number(rows));
    }
  }
  return counts;
}

/**
 * Counts the kept rows again: see `refuseOther`. @throws ScoreBatchError `unavailable` if a statement ran twice or not at all
 */
export async function refuseOtherKept(
  session: Session,
  tables: PublicationTables,
  spec: PublicationSpec,
  counts: readonly number[],
): Promise<void> {
  const expected = [...counts];
  if (spec.history === 0) return;
  for (const replaced of replacedPublications(spec)) {
    for (const one of tables.kept) {
      const [[rows] = []] = await session.rows(countKept(SNOWFLAKE, one, spec.entry.job, replaced));
      const wanted = expected.shift();
      if (Number(rows) !== wanted)
        throw doubled(`${showTableName(one.kept.name)} has ${rows} rows of publication ${replaced.number}, expected ${wanted}`);
    }
  }
}
