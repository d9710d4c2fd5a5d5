import type { TableLayout } from '../domain/tables.ts';
import type { TableReader } from '../warehouse/reader.ts';
import { instant } from '../warehouse/sql/dialect.ts';
import type { Evaluated, OutcomeData } from './page-data.ts';
import type { PublishedWindow } from './published-windows.ts';

interface EvaluationTable {
  readonly reader: TableReader;
  /** With its full name. */
  readonly table: TableLayout;
  readonly job: string;
}

/** A row of the evaluation table for all users of a window. */
interface Row {
  readonly runId: string;
  readonly group: string;
  readonly part: string;
  readonly bin: number;
  readonly evaluated: Omit<Evaluated, 'label'>;
}

/** Columns to read, in this order. */
const COLUMNS = [
  'run_id',
  'contact_group',
  'part',
  'bin',
  'users',
  'positives',
  'mean_score',
  'auc',
  'auc_low',
  'auc_high',
  'average_precision',
  'brier',
  'in_sample',
];

/**
 * The outcomes of these windows, for all users of a window together.
 *
 * @param windows oldest first
 * @returns undefined if none of their publications was evaluated
 */
export async function readOutcome(
  evaluations: EvaluationTable,
  windows: readonly PublishedWindow[],
): Promise<OutcomeData | undefined> {
  if (windows.length === 0) return undefined;
  const rows = await readRows(evaluations, windows);
  const overall = (window: PublishedWindow, group: string): Evaluated | undefined => {
    const row = rows.find((one) => one.runId === window.runId && one.part === 'overall' && one.group === group);
    return row && { ...row.evaluated, label: window.label };
  };
  const series = windows.flatMap((window) => overall(window, 'all') ?? []);
  const last = windows.findLast((window) => overall(window, 'all') !== undefined);
  const newest = series.at(-1);
  if (last === undefined || newest === undefined) return undefined;
  const parts = (part: string) =>
    rows.filter((row) => row.runId === last.runId && row.part === part && row.group === 'all').sort((a, b) => a.bin - b.bin);
  return {
    newest,
    series,
    deciles: parts('decile').map(({ bin, evaluated: { users, positives } }) => ({ decile: bin, users, positives })),
    calibration: parts('calibration').map(({ evaluated: { users, positives, meanScore } }) => ({
      users,
      positives,
      meanScore,
    })),
    groups: (['treated', 'untreated'] as const).flatMap((group) => {
      const evaluated = overall(last, group);
      return evaluated === undefined ? [] : [{ group, evaluated }];
    }),
  };
}

async function readRows({ reader, table, job }: EvaluationTable, windows: readonly PublishedWindow[]): Promise<Row[]> {
  const { dialect } = reader;
  const texts = COLUMNS.map((name) => {
    const column = table.columns.find((other) => other.name === name);
    if (column === undefined) throw new Error(`the evaluation table has no column ${name}`);
    return `${dialect.text(dialect.identifier(name), column)} AS ${name}_text`;
  });
  const starts = windows.map(({ start }) => instant(dialect, start));
  const runs = windows.map(({ runId }) => dialect.literal(runId));
  const rows = await reader.rows(
    `SELECT ${texts.join(', ')} FROM ${dialect.table(table.name)} evaluated
     WHERE job = ${dialect.literal(job)} AND window_start IN (${starts.join(', ')}) AND run_id IN (${runs.join(', ')})
       AND segment = ${dialect.literal('all')}`,
  );
  return rows.map(([runId, group, part, bin, ...cells]) => {
    const number = (at: number) => (cells[at] === null || cells[at] === undefined ? undefined : Number(cells[at]));
    const [low, high] = [number(4), number(5)];
    return {
      runId: String(runId),
      group: String(group),
      part: String(part),
      bin: Number(bin),
      evaluated: {
        users: Number(cells[0]),
        positives: Number(cells[1]),
        meanScore: number(2) ?? 0,
        auc: number(3),
        aucInterval: low === undefined || high === undefined ? undefined : [low, high],
        averagePrecision: number(6),
        brier: number(7) ?? 0,
        inSample: cells[8]?.toLowerCase() === 'true',
      },
    };
  });
}
