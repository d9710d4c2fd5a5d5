import type { TableName } from '../../domain/table-name.ts';
import type { EventFeatures } from '../definition.ts';
import type { EventDialect } from './dialect.ts';

/** A table with the attributes of keys. */
export interface AttributeTable {
  readonly table: TableName;
  /** Column with the key of events. */
  readonly key: string;
  readonly columns: readonly string[];
  /**
   * Which row of a key an event gets:
   *
   * - `current`: the only one, as it is when the query runs (`as of: load`);
   * - `used`: the one whose `version` is in the column `used` of the events' table;
   * - `valid`: the newest one whose column `from`, in epoch milliseconds, is not after the event.
   */
  readonly row:
    | { readonly is: 'current' }
    | { readonly is: 'used'; readonly version: string; readonly used: string }
    | { readonly is: 'valid'; readonly from: string };
}

/**
 * The join of attributes: further parts of the WITH clause, of the columns and of FROM. An event without attributes has nulls.
 */
export interface AttributeJoin {
  readonly parts: readonly string[];
  readonly columns: readonly string[];
  readonly from: string;
}

/** @param event alias of the events' relation */
export function attributeSql(
  dialect: EventDialect,
  { key, time }: EventFeatures,
  attributes: AttributeTable,
  event: string,
): AttributeJoin {
  const table = dialect.table(attributes.table);
  const of = dialect.column(attributes.key);
  const columns = attributes.columns.map((name) => `h.${dialect.column(name)}`);
  const text = (expression: string) => `cast(${expression} as ${dialect.types.text})`;
  // The event's key is a string; that of the table may be an integer, as in the stream.
  const same = `${text(`h.${of}`)} = ${event}.${dialect.column(key)}`;
  switch (attributes.row.is) {
    case 'current':
      return { parts: [], columns, from: `left join ${table} h on ${same}` };
    case 'used': {
      // Plain text of a string or an integer is what the stream wrote; other types of versions are refused.
      const { version } = attributes.row;
      return {
        parts: [],
        columns,
        from: `left join ${table} h on ${same} and ${text(`h.${dialect.column(version)}`)} = ${text(`${event}.${USED}`)}`,
      };
    }
    case 'valid': {
      const from = dialect.column(attributes.row.from);
      const at = `${event}.${dialect.column(time)}`;
      const own = attributes.columns.map((name) => dialect.column(name)).join(', ');
      return {
        parts: [
          `_history as (
  select ${of}, ${own}, ${from} as _from, lead(${from}) over (partition by ${of} order by ${from}) as _until
  from ${table}
)`,
        ],
        columns,
        from: `left join _history h on ${same} and h._from <= ${at} and (h._until is null or ${at} < h._until)`,
      };
    }
  }
}

/** Column of the events' table with the version that was used. */
export const USED = '_attributes_version';
