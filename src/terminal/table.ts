import { counted } from '../domain/counted.ts';
import { printableValue } from '../domain/printable.ts';

export interface TableOptions {
  /**
   * Column headings, most important first. Other columns matter less, the last one least. The first column and the most
   * important of the others always stay.
   */
  readonly important?: readonly string[];
  /** Width of the terminal in columns; by default that of stdout, unlimited if stdout is not a terminal. */
  readonly width?: number | undefined;
}

interface Column {
  readonly heading: string;
  readonly cells: readonly string[];
  readonly width: number;
  readonly numeric: boolean;
}

const GAP = '  ';

/**
 * Rows as aligned text; numbers are right-aligned. Control characters in cells are escaped. If the terminal is too narrow,
 * whole columns are left out and a last line says so: half a number or name would mislead.
 */
export function alignTable(
  header: readonly string[],
  cells: readonly (readonly string[])[],
  { important = [], width = process.stdout.columns || undefined }: TableOptions = {},
): string {
  const columns = header.map((heading, i) =>
    columnOf(
      heading,
      cells.map((row) => printableValue(row[i] ?? '')),
    ),
  );
  const shown = width === undefined ? columns : fitting(columns, important, width);
  const lines = [-1, ...cells.keys()].map((row) =>
    shown
      .map(({ heading, cells: texts, width: wide, numeric }) => {
        const text = row === -1 ? heading : (texts[row] ?? '');
        const space = ' '.repeat(wide - widthOf(text));
        return numeric ? `${space}${text}` : `${text}${space}`;
      })
      .join(GAP)
      .trimEnd(),
  );
  const missing = columns.length - shown.length;
  const note = `${counted(missing, 'column')} left out: the terminal is ${width} wide; --json has all`;
  return [...lines, ...(missing > 0 ? [note] : [])].join('\n');
}

function columnOf(heading: string, cells: readonly string[]): Column {
  const width = Math.max(widthOf(heading), ...cells.map(widthOf));
  return { heading, cells, width, numeric: cells.length > 0 && cells.every((cell) => /^[\d.,%-]*$/.test(cell)) };
}

/** The columns that fit, in their order. */
function fitting(columns: readonly Column[], important: readonly string[], width: number): readonly Column[] {
  const rankOf = (column: Column, i: number): number => {
    if (i === 0) return -1;
    const rank = important.indexOf(column.heading);
    return rank === -1 ? important.length + i : rank;
  };
  const ranked = columns.map((column, i) => ({ column, rank: rankOf(column, i) })).sort((a, b) => a.rank - b.rank);
  const kept = new Set<Column>();
  let used = 0;
  for (const { column } of ranked) {
    const needed = column.width + (kept.size === 0 ? 0 : GAP.length);
    if (kept.size >= 2 && used + needed > width) continue;
    kept.add(column);
    used += needed;
  }
  return columns.filter((column) => kept.has(column));
}

/** Width in terminal cells: East Asian wide characters and emoji take two, combining marks none. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/gu;
const NONE = /\p{Mn}|\p{Me}|\p{Cf}/gu;

function widthOf(text: string): number {
  // Nearly all strings.
  if (/^[\u0020-\u024f]*$/.test(text)) return text.length;
  return [...text.replaceAll(NONE, '').replaceAll(WIDE, 'xx')].length;
}
