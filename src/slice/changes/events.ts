import type { Column } from '../../domain/schema.ts';
import { findColumn } from '../../domain/schema.ts';
import { ScoreBatchError } from '../../errors.ts';
import type { Dialect } from '../../warehouse/dialect.ts';
import { columnOf, nameIn, type SourceTable, selectKeys } from './columns.ts';
import { type EventOptions, eventSpan } from './event-span.ts';
import { fieldText, isImage } from './json-field.ts';
import { numberAt } from './position.ts';
import type { ChangeSource } from './source.ts';

/**
 * A table of change events in Debezium's format: `op`, `before`, `after` and a position, a growing integer (`lsn` for
 * PostgreSQL). Both images provide keys, so a changed key concerns the old and the new user. Events of the last position are
 * read again, because events of one snapshot or transaction can share it; events must land in the order of their positions.
 * Rows without `op` are tombstones and are ignored.
 *
 * The slice's instant is the greatest `ts_ms` if the table has it, otherwise the warehouse's clock. Positions cannot be cut at
 * an instant: if a limit cuts the span, it ends where it began, but all events from there on are read, and the next span reads
 * them again.
 *
 * @throws ScoreBatchError `configuration` for a column that is missing or has an unsuitable type
 */
export function eventSource(table: SourceTable, options: EventOptions): ChangeSource {
  const of = (column: Column) => nameIn(column, table);
  const position = positionColumn(table, options.position);
  const op = of(columnOf(table, 'op', 'events'));
  const images = ['before', 'after'].map((name) => imageColumn(table, name));
  const stamp = findColumn(table.schema, 'ts_ms');
  const keyTypes = table.key.map((column) => keyType(table, column));
  const fields = (dialect: Dialect, image: Column) =>
    table.key.map((column, i) =>
      fieldText(dialect, table.kind, { column: image, name: of(image) }, table.keyNames[i] ?? column.name),
    );
  const since = (from: string) => `${of(position)} >= ${numberAt(from, table.name) - 1n}`;
  return {
    name: table.name,
    bounds: (dialect, from) => {
      const text = (expression: string) => `CAST(${expression} AS ${dialect.type({ type: 'string' })})`;
      const count = (condition: string) => text(`COUNT(CASE WHEN ${condition} THEN 1 END)`);
      const whole = (expression: string) => text(`(SELECT ${expression} FROM ${table.name})`);
      const missing = (image: Column) =>
        `(${fields(dialect, image)
          .map((field) => `${field} IS NULL`)
          .join(' OR ')})`;
      const [before, after] = images.map((image) => ({ name: of(image), missing: missing(image) }));
      const list = [
        whole(`MIN(${of(position)})`),
        whole(`MAX(${of(position)})`),
        stamp === undefined ? `CAST(NULL AS ${dialect.type({ type: 'string' })})` : whole(`MAX(${of(stamp)})`),
        dialect.text('CURRENT_TIMESTAMP', { type: 'timestamp' }),
        count(`${op} = 't'`),
        count(`${op} NOT IN ('c', 'u', 'd', 'r', 't', 'm') OR (${op} IS NOT NULL AND ${of(position)} IS NULL)`),
        count(`${op} IN ('c', 'u', 'd', 'r') AND ${before?.missing} AND ${after?.missing}`),
        count(`${op} = 'u' AND ${before?.missing}`),
      ];
      // A snapshot reads all users, so earlier events do not matter.
      const range = from === null ? '1 = 0' : `${since(from)} OR ${of(position)} IS NULL`;
      return `SELECT ${list.join(', ')} FROM ${table.name} WHERE ${range}`;
    },
    span: (row, from, limits = {}) => eventSpan({ name: table.name, options }, row, from, limits),
    keys: (dialect, { from, to }) => {
      const conditions = [
        `${op} IN ('c', 'u', 'd', 'r')`,
        ...(from === null ? [] : [since(from)]),
        ...(from === to ? [] : [`${of(position)} < ${numberAt(to, table.name)}`]),
      ];
      const names = table.key.map((_, i) => `key_${i}`);
      const rows = images.map((image) => {
        const list = fields(dialect, image).map(
          (field, i) => `CAST(${field} AS ${dialect.type(keyTypes[i] ?? { type: 'string' })}) AS key_${i}`,
        );
        return `SELECT ${list.join(', ')} FROM ${table.name} WHERE ${conditions.join(' AND ')}`;
      });
      return selectKeys(dialect, table, names, { from: `(${rows.join(' UNION ALL ')})`, conditions: [] });
    },
    refusal: (error) => error,
  };
}

function positionColumn(table: SourceTable, name: string): Column {
  const column = columnOf(table, name, 'position');
  if (isWhole(column)) return column;
  throw new ScoreBatchError(
    'configuration',
    `the position ${table.name}.${column.name} is ${column.native}: it must be a whole number`,
    {
      hint: 'name another column with position: in incremental.changes, or convert it in a view',
    },
  );
}

function imageColumn(table: SourceTable, name: string): Column {
  const column = columnOf(table, name, 'events');
  if (isImage(column)) return column;
  throw new ScoreBatchError(
    'configuration',
    `${table.name}.${column.name} is ${column.native}: it must hold a row as JSON or as a struct`,
    {
      hint: 'land the events as Debezium writes them, without ExtractNewRecordState, or use a watermark',
    },
  );
}

/** Debezium encodes other types in many ways, such as days since 1970. */
function keyType(table: SourceTable, column: Column): Column & { readonly type: 'integer' | 'decimal' | 'string' | 'uuid' } {
  if (isWhole(column) || column.type === 'string' || column.type === 'uuid') return column as ReturnType<typeof keyType>;
  throw new ScoreBatchError(
    'configuration',
    `the key ${column.name} is ${column.native}, which cannot be read from the events of ${table.name}`,
    {
      hint: 'use keys that are whole numbers, texts or UUIDs; or convert the events in a view, and use a watermark',
    },
  );
}

function isWhole({ type, digits }: Column): boolean {
  return type === 'integer' || (type === 'decimal' && digits?.[1] === 0);
}
