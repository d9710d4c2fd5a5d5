import { formatMicroseconds, type Microseconds } from '../../domain/microseconds.ts';
import type { Column } from '../../domain/schema.ts';
import { ScoreBatchError } from '../../errors.ts';
import type { Dialect } from '../../warehouse/dialect.ts';
import type { TextRow } from '../../warehouse/reader.ts';
import { columnOf, keyColumns, nameIn, type SourceTable, selectKeys } from './columns.ts';
import { earliest, instantAt, latest, SNAPSHOT } from './position.ts';
import type { ChangeSource, SpanLimits, SpanToRead } from './source.ts';
import { type WatermarkTime, watermarkTime } from './watermark-time.ts';

export interface WatermarkOptions {
  /** Name of the column. */
  readonly column: string;
  /** Zone of a watermark without its own; undefined for UTC. */
  readonly zone: string | undefined;
  /** Milliseconds. */
  readonly lag: number;
  /** Milliseconds. */
  readonly lookback: number;
  /** Whether all users are compared once a day, which finds changes hidden by a row without a watermark. */
  readonly reconciled: boolean;
}

/** Position after an empty table: everything that follows is new. */
const START = '0001-01-01T00:00:00.000000Z';

/** How far a watermark may be ahead of the warehouse's clock: writers' clocks differ. */
const AHEAD = 5n * 60_000_000n;

/**
 * Rows whose watermark is at or above the position count as changed. The span ends one microsecond after the greatest
 * watermark, minus the lag. The next span includes the greatest watermark again and `lookback` before it, which finds rows
 * written later with the same or a lower watermark.
 *
 * @throws ScoreBatchError `configuration` for a column that is missing or has an unsuitable type
 */
export function watermarkSource(table: SourceTable, options: WatermarkOptions): ChangeSource {
  const column = columnOf(table, options.column, 'watermark');
  const keys = keyColumns(table).map((key) => nameIn(key, table));
  const time = timeOf(table, column, options);
  const name = nameIn(column, table);
  const where = `${table.name}.${column.name}`;
  const first = (from: string) => time.least(instantAt(from, table.name) - 1n - micros(options.lookback));
  const atLeast = (dialect: Dialect, from: string | null) =>
    from === null || from === START ? [] : [`${name} >= ${cast(dialect, time, first(from))}`];
  return {
    name: table.name,
    bounds: (dialect, from) => {
      const count = (expression: string) => `CAST(${expression} AS ${dialect.type({ type: 'string' })})`;
      const list = [
        count(`COUNT(*) - COUNT(${name})`),
        dialect.text(`MAX(${name})`, time),
        dialect.text('CURRENT_TIMESTAMP', { type: 'timestamp' }),
      ];
      // Only the slice's range, so that a table partitioned by the watermark is not read completely.
      const range = atLeast(dialect, from).map((condition) => ` WHERE ${condition} OR ${name} IS NULL`);
      return `SELECT ${list.join(', ')} FROM ${table.name}${range.join('')}`;
    },
    span: (row, from, limits = {}) => spanOf({ name: table.name, where, time, options }, row, from, limits),
    keys: (dialect, { from, to }) => {
      const conditions = [...atLeast(dialect, from), `${name} < ${cast(dialect, time, time.above(instantAt(to, table.name)))}`];
      return selectKeys(dialect, table, keys, { from: table.name, conditions });
    },
    refusal: (error) => error,
  };
}

function timeOf(table: SourceTable, column: Column, { zone }: WatermarkOptions): WatermarkTime {
  const { type, native } = column;
  const where = `the watermark ${table.name}.${column.name} is ${native}`;
  if (type !== 'timestamp' && type !== 'datetime' && type !== 'date') {
    throw new ScoreBatchError('configuration', `${where}: it must be a timestamp or a date`, {
      hint: 'name another column, or convert it in a view and name the view in incremental.changes',
    });
  }
  if (type === 'timestamp' && zone !== undefined) {
    throw new ScoreBatchError('configuration', `${where}, which has a zone of its own: time_zone has no effect`, {
      hint: 'remove time_zone from the change source',
    });
  }
  return watermarkTime(type, zone ?? 'UTC');
}

interface Judged {
  readonly name: string;
  /** Table and column, for messages. */
  readonly where: string;
  readonly time: WatermarkTime;
  readonly options: WatermarkOptions;
}

function spanOf(judged: Judged, row: TextRow, from: string | null, { cap }: SpanLimits): SpanToRead {
  const { name, where, time, options } = judged;
  const [nulls, maximum, clock] = row;
  const warnings = nullsOf(judged, Number(nulls));
  if (maximum === null || maximum === undefined) {
    if (from !== null && from !== START) throw goneBack(where, from, 'now has no rows');
    return { span: { source: name, from, to: START }, asOf: undefined, warnings };
  }
  const instant = time.instant(maximum);
  if (instant === undefined || instant > instantAt(clock ?? '', name) + AHEAD) throw inFuture(judged, maximum, clock ?? '');
  const after = time.after(maximum);
  if (from !== null && after < instantAt(from, name)) throw goneBack(where, from, `now ends at ${maximum}`);
  // A larger lag or an earlier cap than last time does not move the position back.
  const to = latest(from ?? undefined, earliest(formatMicroseconds(after - micros(options.lag)), cap));
  return { span: { source: name, from, to }, asOf: to, warnings };
}

function nullsOf({ where, options }: Judged, nulls: number): string[] {
  if (nulls === 0) return [];
  const what = `${nulls} ${nulls === 1 ? 'row has' : 'rows have'} no watermark ${where}`;
  if (options.reconciled) return [`${what}: only reconcile: day finds such changes`];
  throw new ScoreBatchError('refused', `${what}: a slice cannot tell whether they are new`, {
    hint: 'fill the column, or set incremental.reconcile: day, which compares all users once a day',
  });
}

function goneBack(where: string, from: string, what: string): ScoreBatchError {
  return new ScoreBatchError('refused', `the watermark ${where} was read up to ${from}, but ${what}`, {
    details: ['the table was replaced or truncated, or its newest rows were deleted'],
    hint: SNAPSHOT,
  });
}

function inFuture({ where, time, options }: Judged, maximum: string, clock: string): ScoreBatchError {
  const zone = time.type === 'timestamp' ? '' : ` in ${options.zone ?? 'UTC'}`;
  return new ScoreBatchError(
    'refused',
    `the watermark ${where} ends at ${maximum}${zone}, which is later than the warehouse's clock, ${clock} UTC`,
    {
      hint:
        time.type === 'timestamp'
          ? 'correct these rows; otherwise later slices would find nothing until that time'
          : 'if the watermark is in local time, set its zone with time_zone: in incremental.changes; otherwise correct these rows',
    },
  );
}

function cast(dialect: Dialect, { type }: WatermarkTime, text: string): string {
  return `CAST(${dialect.literal(text)} AS ${dialect.type({ type })})`;
}

function micros(milliseconds: number): Microseconds {
  return BigInt(milliseconds) * 1000n;
}
