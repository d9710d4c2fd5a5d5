import type { Query, QueryParameter } from '../../domain/query.ts';

const TYPES: Readonly<Record<QueryParameter['type'], string>> = {
  timestamp: 'TIMESTAMP_TZ',
  datetime: 'TIMESTAMP_NTZ',
  date: 'DATE',
};

/** The query with Snowflake's placeholders, and their values in order. Each has a cast, so that types are known. */
export function renderQuery({ texts, parameters }: Query): { sql: string; binds: string[] } {
  const sql = texts
    .map((text, i) => {
      const parameter = parameters[i];
      return parameter === undefined ? text : `${text}CAST(? AS ${TYPES[parameter.type]})`;
    })
    .join('');
  return { sql, binds: parameters.map(({ value }) => value) };
}
