import type { PersonTable } from './erasure.ts';
import { suffixed } from './table-name.ts';
import type { TableColumn, TableLayout, Tables } from './tables.ts';

/**
 * Identifies the publication of a replaced row, whatever the layout of its table; `replaced_at` is when another publication
 * took its place.
 */
const REPLACED: readonly TableColumn[] = [
  { name: 'replaced_job', type: 'string' },
  { name: 'replaced_window_start', type: 'timestamp' },
  { name: 'replaced_window_end', type: 'timestamp' },
  { name: 'replaced_publication', type: 'integer' },
  { name: 'replaced_run_id', type: 'string' },
  { name: 'replaced_at', type: 'timestamp' },
];

/** The tables that keep replaced rows of these; nothing in the ledger is ever replaced. */
export function replacedTables({ scores, quarantine, ledger, report, summary, drift }: Tables): Tables {
  return {
    scores: replacedLayout(scores),
    quarantine: replacedLayout(quarantine),
    ledger,
    report: report && replacedLayout(report),
    summary: summary && replacedLayout(summary),
    drift: drift && replacedLayout(drift),
  };
}

/**
 * The table that keeps the rows that a publication replaces in this one: `<table>_replaced`, with the same columns and six
 * more.
 */
export function replacedLayout({ name, columns }: TableLayout): TableLayout {
  return { name: suffixed(name, '_replaced'), columns: [...columns, ...REPLACED] };
}

/** The layout of a table, or if `replaced` of the one that keeps its replaced rows. */
export function layoutInPlace({ layout, replaced }: Pick<PersonTable, 'layout' | 'replaced'>): TableLayout {
  return replaced ? replacedLayout(layout) : layout;
}
