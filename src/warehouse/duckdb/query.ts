import type { Query, QueryParameter } from '../../domain/query.ts';
import type { Values } from '../../duckdb/database.ts';
import { literal } from '../../duckdb/sql.ts';

const TYPES: Readonly<Record<QueryParameter['type'], string>> = {
  timestamp: 'TIMESTAMP WITH TIME ZONE',
  datetime: 'TIMESTAMP',
  date: 'DATE',
};

/** The query with DuckDB's placeholders. Each has a cast, so that types are known before values are bound. */
export function renderQuery({ texts, parameters }: Query): { sql: string; values: Values } {
  const sql = texts
    .map((text, i) => {
      const parameter = parameters[i];
      return parameter === undefined ? text : `${text}CAST($${parameter.name} AS ${TYPES[parameter.type]})`;
    })
    .join('');
  return { sql, values: Object.fromEntries(parameters.map(({ name, value }) => [name, value])) };
}

/** The query with its values, for people to run. */
export function showWithValues({ texts, parameters }: Query): string {
  return texts
    .map((text, i) => {
      const parameter = parameters[i];
      return parameter === undefined ? text : `${text}CAST(${literal(parameter.value)} AS ${TYPES[parameter.type]})`;
    })
    .join('');
}
