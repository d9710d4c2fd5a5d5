import type { LedgerWindow, Run } from './ledger.ts';
import type { Histogram } from './psi.ts';
import { windowKey } from './publications.ts';
import { showTableName } from './table-name.ts';
import type { Tables } from './tables.ts';

/** Tables that say how many users a publication has. */
export const AUDITED = ['scores', 'quarantine', 'report', 'summary'] as const;
export type Audited = (typeof AUDITED)[number];

/** What one table holds of one run: rows, and users in the summary. */
export interface HeldRows {
  readonly table: Audited;
  readonly runId: string;
  readonly window: Pick<LedgerWindow, 'start' | 'end'>;
  readonly rows: number;
}

/** Published scores by bins; see `Histogram` for where a bin ends. */
export interface ScoreCounts {
  readonly edges: Histogram['edges'];
  readonly counts: readonly number[];
}

/**
 * What the tables hold of a published run's window other than its ledger entry says, one phrase per table; none where they
 * agree. Report and summary count only where the publication wrote them.
 */
export function tableDiscrepancies(
  run: Pick<Run, 'runId' | 'window' | 'rows' | 'details'>,
  held: readonly HeldRows[],
  tables: Tables,
): string[] {
  const { scored = 0, quarantined = 0 } = run.rows ?? {};
  const wrote: readonly Audited[] = ['scores', 'quarantine', ...(run.details.also_wrote ?? [])];
  return wrote.flatMap((table) => {
    const name = tables[table]?.name;
    if (name === undefined) return [];
    const expected = table === 'quarantine' ? quarantined : scored;
    const here = held.filter((one) => one.table === table && windowKey(one.window) === windowKey(run.window));
    const own = sum(here.filter(({ runId }) => runId === run.runId));
    const others = sum(here) - own;
    const noun = table === 'summary' ? 'users' : 'rows';
    return [
      ...(own === expected ? [] : [`${showTableName(name)} holds ${count(own)} of its ${count(expected)} ${noun}`]),
      ...(others === 0 ? [] : [`${showTableName(name)} holds ${count(others)} ${noun} of other runs for its window`]),
    ];
  });
}

function sum(held: readonly HeldRows[]): number {
  return held.reduce((total, { rows }) => total + rows, 0);
}

function count(rows: number): string {
  return rows.toLocaleString('en');
}
