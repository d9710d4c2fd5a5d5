import { suffixed } from './table-name.ts';
import type { TableColumn, TableLayout, Tables } from './tables.ts';

/**
 * Identifies the publication that a replaced row belonged to, whatever the layout of its table; `replaced_at` is when another
 * publication took its place.
 */
const REPLACED: readonly TableColumn[] = [
  { name: 'replaced_job', type: 'string' },
  { name: 'replaced_window_start', type: 'timestamp' },
  { name: 'replaced_window_end', type: 'timestamp' },
  { name: 'replaced_publication', type: 'integer' },
  { name: 'replaced_run_id', type: 'string' },
  { name: 'replaced_at', type: 'timestamp' },
];

/** The tables, and those that keep what is replaced in them, by other names. */
export function withReplaced(tables: Tables): Tables {
  const { scores, quarantine, report, summary, drift } = tables;
  const replaced = Object.entries({ scores, quarantine, report, summary, drift }).flatMap(([part, layout]) =>
    layout === undefined ? [] : [[`${part}_replaced`, replacedLayout(layout)] as const],
  );
  return { ...tables, ...Object.fromEntries(replaced) };
}

/** The table that keeps the rows which a publication replaces in this one: `<table>_replaced`, its columns and six more. */
export function replacedLayout({ name, columns }: TableLayout): TableLayout {
  return { name: suffixed(name, '_replaced'), columns: [...columns, ...REPLACED] };
}
