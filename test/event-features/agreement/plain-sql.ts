import { literal, identifier as quoted } from '../../../src/duckdb/sql.ts';
import type { Condition, EventFeatures, WindowFeature } from '../../../src/event-features/definition.ts';

/**
 * The definitions of docs/event-features.md word by word, as a self-join: slow, and nothing of it is shared with what is tested.
 * Reads `log` (place, timestamp, fields) and has one row per record: place, verdict and features.
 */
export function plainSql(features: EventFeatures): string {
  const { key, id, time, latenessMs, skewMs, log } = features;
  if (log === undefined) throw new Error('the log has no place');
  const [partition, offset, timestamp] = [log.partition, log.offset, log.timestamp].map(quoted);
  const [k, i, t] = [key, id, time].map(quoted);
  const longest = Math.max(...features.features.map(({ windowMs }) => windowMs));
  const arrived = features.asOf === 'arrival' ? `AND f.${offset} <= e.${offset}` : '';
  return `WITH valid AS (
  SELECT *, max(${t}) OVER (PARTITION BY ${partition} ORDER BY ${offset}) AS maximum
  FROM log WHERE ${t} <= ${timestamp} + ${skewMs}
), copies AS (
  SELECT *, max(${t}) OVER (PARTITION BY ${partition}, ${i} ORDER BY ${offset} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS copy
  FROM valid
), verdicts AS (
  SELECT *, CASE WHEN copy >= maximum - ${longest + latenessMs} THEN 'duplicate' WHEN ${t} < maximum - ${latenessMs} THEN 'late'
    ELSE 'accepted' END AS verdict
  FROM copies
), accepted AS (SELECT * FROM verdicts WHERE verdict = 'accepted'
), windows AS (
  SELECT e.${partition}, e.${offset}, ${features.features.map((feature) => `${featureValue(feature, features)} AS ${quoted(feature.name)}`).join(',\n    ')}
  FROM accepted e JOIN accepted f ON f.${k} = e.${k} AND f.${partition} = e.${partition}
    AND f.${t} BETWEEN e.${t} - ${longest} AND e.${t} ${arrived}
  GROUP BY e.${partition}, e.${offset}
)
SELECT log.${partition}, log.${offset}, coalesce(verdict, 'ahead of its timestamp') AS verdict, windows.* EXCLUDE (${partition}, ${offset})
FROM log LEFT JOIN verdicts USING (${partition}, ${offset}) LEFT JOIN windows USING (${partition}, ${offset})`;
}

function featureValue({ aggregate, field, windowMs, where }: WindowFeature, { time, id, log }: EventFeatures): string {
  const t = quoted(time);
  const value = `f.${quoted(field ?? time)}`;
  const among = [`f.${t} >= e.${t} - ${windowMs}`, ...where.map(condition)];
  const filter = (...more: string[]): string => `FILTER (WHERE ${[...among, ...more].join(' AND ')})`;
  switch (aggregate) {
    case 'count':
      return `count(${value}) ${filter()}`;
    case 'distinct':
      return `count(DISTINCT ${value}) ${filter()}`;
    case 'sum':
      return `CAST(sum(${value}) ${filter()} AS BIGINT)`;
    case 'min':
    case 'max':
      return `${aggregate}(${value}) ${filter()}`;
    case 'mean':
      return `CAST(CAST(sum(${value}) ${filter()} AS BIGINT) AS DOUBLE) / CAST(nullif(count(${value}) ${filter()}, 0) AS DOUBLE)`;
    case 'last':
      return `arg_max(${value}, {'time': f.${t}, 'id': f.${quoted(id)}}) ${filter(`${value} IS NOT NULL`)}`;
    case 'since': {
      const offset = quoted(log?.offset ?? '');
      return `any_value(e.${t}) - max(f.${t}) ${filter(`f.${offset} <> e.${offset}`)}`;
    }
  }
}

function condition(of: Condition): string {
  const column = `f.${quoted(of.field)}`;
  const one = (value: string | number | boolean): string => (typeof value === 'string' ? literal(value) : String(value));
  if ('is' in of) return `${column} IN (${of.is.map(one).join(', ')})`;
  const { atLeast, below } = of;
  return `${column} >= ${atLeast ?? '-1e300'}::DOUBLE AND ${column} < ${below ?? '1e300'}::DOUBLE`;
}
