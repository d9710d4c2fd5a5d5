import { formatMicroseconds, type Microseconds } from '../../domain/microseconds.ts';
import { ScoreBatchError } from '../../errors.ts';
import type { TextRow } from '../../warehouse/reader.ts';
import { keyColumns, nameIn, type SourceTable, selectKeys } from './columns.ts';
import { historyPieces } from './history-sql.ts';
import { earliest, instantAt, latest, SNAPSHOT } from './position.ts';
import type { ChangeSource, SpanLimits, SpanToRead } from './source.ts';

// None of this has run on a real account: no emulator supports change history. The statements follow the documentation of
// BigQuery (APPENDS, CHANGES) and Snowflake (CHANGES … AT … END).

export interface HistoryOptions {
  /** `appends`: added rows; `changes`: also the old and new row of an update, and deleted rows. */
  readonly rows: 'appends' | 'changes';
  /** Milliseconds. */
  readonly lag: number;
}

const SECOND = 1_000_000n;
const DAY = 86_400n * SECOND;

/**
 * How far a span stays behind the warehouse's clock. A change is recorded with its transaction's commit instant, and becomes
 * visible a moment later: a span that ended now would miss it forever. BigQuery documented that CHANGES does not reach the last
 * ten minutes; whether that still holds is unproven.
 */
function settling(kind: SourceTable['kind'], { rows }: HistoryOptions): Microseconds {
  return kind === 'bigquery' && rows === 'changes' ? 601n * SECOND : 10n * SECOND;
}

/** BigQuery's time travel; a dataset may have less. Snowflake's differs per table, so its own refusal decides. */
const REACH = 7n * DAY;

/**
 * The changes that the warehouse itself recorded for a table, over spans of its own clock, in whole milliseconds. An update
 * yields the keys of the old and the new row.
 *
 * @throws ScoreBatchError `configuration` for key columns that are missing or have an unsuitable type
 */
export function historySource(table: SourceTable, options: HistoryOptions): ChangeSource {
  const keys = keyColumns(table).map((key) => nameIn(key, table));
  return {
    name: table.name,
    bounds: (dialect) => `SELECT ${dialect.text('CURRENT_TIMESTAMP', { type: 'timestamp' })} AS clock`,
    span: (row, from, limits = {}) => spanOf(table, options, row, { from, ...limits }),
    keys: (dialect, { from, to }) => {
      const span = { from: instantAt(from ?? to, table.name), to: instantAt(to, table.name) };
      // The warehouses reject an empty span.
      if (span.from >= span.to) return selectKeys(dialect, table, keys, { from: table.name, conditions: ['1 = 0'] });
      const pieces = historyPieces(table, options.rows, span);
      const rows = pieces.map((piece) => `SELECT ${keys.join(', ')} FROM ${piece}`);
      return selectKeys(dialect, table, keys, { from: `(${rows.join(' UNION ALL ')})`, conditions: [] });
    },
    refusal: (error) => refusalOf(error, table.name),
  };
}

function spanOf(
  { name, kind }: SourceTable,
  options: HistoryOptions,
  [clock]: TextRow,
  { from, cap }: SpanLimits & { readonly from: string | null },
): SpanToRead {
  const now = instantAt(clock ?? '', name);
  if (kind === 'bigquery' && from !== null && instantAt(from, name) < now - REACH) {
    throw new ScoreBatchError('refused', `the change history of ${name} no longer reaches back to ${from}`, {
      details: ['BigQuery keeps it for seven days, or less if the dataset says so'],
      hint: SNAPSHOT,
    });
  }
  const [lag, least] = [BigInt(options.lag) * 1000n, settling(kind, options)];
  const end = now - (lag > least ? lag : least);
  const to = latest(from ?? undefined, earliest(formatMicroseconds(end - (end % 1000n)), cap));
  return { span: { source: name, from, to }, asOf: to, warnings: [] };
}

/** Meaning of the warehouses' refusals, by their documented and reported messages. */
const REFUSALS: readonly (readonly [pattern: RegExp, what: string, hint: string])[] = [
  [
    /change tracking is not enabled|enable_change_history/i,
    'has no change history for this span',
    `switch it on (Snowflake: alter table … set change_tracking = true; BigQuery: the option enable_change_history), then ${SNAPSHOT}`,
  ],
  [
    /multi-?statement transaction/i,
    'was written by a multi-statement transaction within this span, which CHANGES cannot read',
    `${SNAPSHOT}; if this happens again, use a watermark`,
  ],
  [
    /time travel|before the (object|table) creation|beyond the allowed time/i,
    'no longer has change history for this span: the history has expired, or the table was replaced',
    SNAPSHOT,
  ],
];

function refusalOf(error: unknown, table: string): unknown {
  if (!(error instanceof ScoreBatchError)) return error;
  const text = [error.message, ...error.details].join('\n');
  const [, what, hint] = REFUSALS.find(([pattern]) => pattern.test(text)) ?? [];
  if (what === undefined || hint === undefined) return error;
  return new ScoreBatchError('refused', `the change source ${table} ${what}`, { details: error.details, hint, cause: error });
}
