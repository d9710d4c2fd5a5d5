import type { LedgerEntry } from '../domain/ledger.ts';
import { isoTime } from '../warehouse/sql/ledger-entry.ts';
import type { Sink } from '../warehouse/warehouse.ts';
import type { BatchWindow } from './batch-windows.ts';
import type { ShadowSpec } from './spec.ts';

/** The instants for which rows of the current table are kept, ISO strings, oldest first. */
export async function boundariesOf(sink: Sink, { boundary, slices }: ShadowSpec): Promise<string[]> {
  return await sink.read(async ({ dialect, find, rows }) => {
    const table = await find({ name: boundary, columns: [] });
    if (table === undefined) return [];
    const found = await rows(
      `SELECT DISTINCT ${dialect.text('boundary', { type: 'timestamp' })} AS boundary_text FROM ${dialect.table(table.name)}
       WHERE job = ${dialect.literal(slices)}`,
    );
    return found.flatMap(([text]) => isoTime(String(text)) ?? []).sort();
  });
}

interface Compared {
  readonly boundaries: readonly string[];
  /** `compared` entries, in the order in which they were written. */
  readonly compared: readonly LedgerEntry[];
  readonly windows: readonly BatchWindow[];
}

/**
 * Drops compared rows, and those of windows for which the batch had no rows once a later window was compared. If the newest
 * comparison is not within limits, its rows are kept for a look.
 */
export async function dropCompared(sink: Sink, spec: ShadowSpec, { boundaries, compared, windows }: Compared): Promise<void> {
  const newest = compared.at(-1)?.details.shadow;
  if (newest === undefined) return;
  const ends = new Set(compared.map(({ window }) => window.end));
  const empty = new Set(windows.filter(({ published }) => published === undefined).map(({ window }) => window.end));
  const gone = boundaries.filter(
    (end) => (ends.has(end) && (newest.within || newest.window.end !== end)) || (empty.has(end) && end < newest.window.end),
  );
  if (gone.length === 0) return;
  const { boundary: table, ledger, slices } = spec;
  await sink.dropBoundaries({ table, ledger, job: slices, boundaries: gone });
}
