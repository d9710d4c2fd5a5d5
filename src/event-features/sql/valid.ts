import { type EventFeatures, NEWEST_TIME, OLDEST_TIME } from '../definition.ts';
import type { EventDialect } from './dialect.ts';

/** The part of rule 1 that columns can check: whether the stream accepts such values, or rejects the event. */
export function validSql(dialect: EventDialect, { fields, key, id, time }: EventFeatures): string[] {
  const bound = Number.MAX_SAFE_INTEGER;
  const greatest = `cast('${Number.MAX_VALUE.toExponential()}' as ${dialect.types.double})`;
  return fields.flatMap(({ name, type }) => {
    const column = dialect.column(name);
    if (name === time) return [`${column} >= ${OLDEST_TIME} and ${column} < ${NEWEST_TIME}`];
    if (name === key || name === id) return [`${column} is not null`];
    if (type === 'int64') return [`(${column} is null or ${column} between -${bound} and ${bound})`];
    // Infinities are outside, and NaN is there, too, or makes the comparison false, in every warehouse.
    if (type === 'float64') return [`(${column} is null or ${column} between -${greatest} and ${greatest})`];
    return [];
  });
}
