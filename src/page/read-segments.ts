import type { Bands } from '../domain/bands.ts';
import type { TableColumn } from '../domain/tables.ts';
import type { PageData, SegmentBands } from './page-data.ts';
import type { PublishedWindow } from './published-windows.ts';
import { readSegment, type Scores, type SegmentCell, sumOf } from './score-sql.ts';

/** Stands for values that are not read individually. */
const REST = 'all other values';

/** The columns of segments in the table; a segment without one is left out. */
export function segmentColumns({ table }: Scores, segments: readonly string[]): TableColumn[] {
  return segments.flatMap((name) => table.columns.find((other) => other.name.toLowerCase() === name.toLowerCase()) ?? []);
}

/** Bands of each segment's values, most users first; values not read individually come last, as one. */
export async function readSegments(
  scores: Scores,
  window: PublishedWindow,
  { columns, bands }: { readonly columns: readonly TableColumn[]; readonly bands: Bands },
): Promise<SegmentBands[]> {
  const found: SegmentBands[] = [];
  for (const column of columns) {
    const values = [...byValue(await readSegment(scores, [window], { column, by: 'band' }))].map(([value, own]) => ({
      ...{ segment: column.name, value: value ?? REST, ...sumOf(own) },
      bands: inOrder(
        own.map(({ group, totals }) => ({ band: group, ...totals })),
        bands,
      ),
      last: Number(value === undefined),
    }));
    values.sort((a, b) => a.last - b.last || b.users - a.users || (a.value < b.value ? -1 : 1));
    found.push(...values.map(({ last: _, ...one }) => one));
  }
  return found;
}

/**
 * A segment in two windows. Both windows together decide which values are read individually, so that no value is individual in
 * one and among the rest in the other.
 */
export async function readChange(
  scores: Scores,
  { now, before }: { readonly now: PublishedWindow; readonly before: PublishedWindow },
  column: TableColumn,
): Promise<PageData['change']> {
  const cells = await readSegment(scores, [now, before], { column, by: 'run_id' });
  const of = (own: readonly SegmentCell[], { runId }: PublishedWindow) => sumOf(own.filter(({ group }) => group === runId));
  const values = [...byValue(cells)].map(([value, own]) => ({
    ...{ value: value ?? REST, now: of(own, now), before: of(own, before) },
    last: Number(value === undefined),
  }));
  values.sort((a, b) => a.last - b.last || b.now.users - a.now.users || (a.value < b.value ? -1 : 1));
  return { segment: column.name, values: values.map(({ last: _, ...one }) => one) };
}

/** Highest risk first, as in the job file. */
export function inOrder(bands: SegmentBands['bands'], { bounds, rest }: Bands): SegmentBands['bands'] {
  const order = [...bounds.map(({ name }) => name), rest];
  return [...bands].sort((a, b) => order.indexOf(a.band) - order.indexOf(b.band));
}

function byValue(cells: readonly SegmentCell[]): Map<string | undefined, SegmentCell[]> {
  const values = new Map<string | undefined, SegmentCell[]>();
  for (const cell of cells) values.set(cell.value, [...(values.get(cell.value) ?? []), cell]);
  return values;
}
