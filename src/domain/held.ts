import type { LedgerWindow, Run } from './ledger.ts';
import type { Histogram } from './psi.ts';
import { windowKey } from './publications.ts';
import { showTableName } from './table-name.ts';
import type { Tables } from './tables.ts';

/** Tables whose rows can be counted against the ledger entry of their publication. */
export const AUDITED = ['scores', 'quarantine', 'report', 'summary', 'drift'] as const;
export type Audited = (typeof AUDITED)[number];

/** What one table holds of one run: rows, or users in the summary. */
export interface HeldRows {
  readonly table: Audited;
  readonly runId: string;
  readonly window: Pick<LedgerWindow, 'start' | 'end'>;
  readonly rows: number;
}

/** Published scores per bin; see `Histogram` for the edges. */
export interface ScoreCounts {
  readonly edges: Histogram['edges'];
  readonly counts: readonly number[];
}

/**
 * Compares the tables with the ledger entry of a published run: one phrase per table that disagrees. Report, summary and
 * drift are compared only if the publication wrote them.
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
    const expected = { quarantine: quarantined, drift: run.details.feature_drift?.measured ?? 0 }[table as string] ?? scored;
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
