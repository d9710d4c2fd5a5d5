import type { EventFeatures, WindowFeature } from '../definition.ts';
import { BUCKET, identityOf, keyOf, LOG_OFFSET, longestWindow, ORDER, windowOf } from './accepted.ts';
import { aggregateSql } from './aggregate.ts';
import { conditionSql } from './condition.ts';
import type { EventDialect } from './dialect.ts';

/**
 * The part `_joined` of a WITH clause: events of the job's window (a), each joined with those that it sees (b). Time is divided
 * into buckets as long as the longest window, so b is in the bucket of a or the one before, and each gives the join an
 * equality.
 */
export function joinedSql(dialect: EventDialect, features: EventFeatures, joined: readonly WindowFeature[]): string {
  const identity = identityOf(dialect, features);
  const key = keyOf(dialect, features);
  const at = dialect.column(features.time);
  const longest = longestWindow(features);
  const { start } = windowOf(dialect);
  const columns = [...new Set([...identity, ...key, at])].join(', ');
  const stretch = (bucket: string) => `select ${columns}, ${bucket} as _stretch from _accepted
    where ${at} >= ${start}`;
  const on = [
    ...key.map((column) => `b.${column} = a.${column}`),
    `b.${BUCKET} = a._stretch`,
    `b.${at} between a.${at} - ${longest} and a.${at}`,
    ...(features.asOf === 'arrival' ? [`b.${LOG_OFFSET} <= a.${LOG_OFFSET}`] : []),
  ];
  const aggregates = joined.map((feature) => `${expression(dialect, features, feature)} as ${dialect.column(feature.name)}`);
  return `_joined as (
  select ${identity.map((column) => `a.${column}`).join(', ')},
    ${aggregates.join(',\n    ')}
  from (
    ${stretch(BUCKET)}
    union all
    ${stretch(`${BUCKET} - ${longest}`)}
  ) a
  join _accepted b
    on ${on.join('\n    and ')}
  group by ${[...new Set([...identity, at])].map((column) => `a.${column}`).join(', ')}
)`;
}

function expression(dialect: EventDialect, features: EventFeatures, feature: WindowFeature): string {
  const { aggregate, field, windowMs } = feature;
  const at = dialect.column(features.time);
  // Offsets are per partition, and as of event there may be several partitions.
  const own = features.log === undefined ? [dialect.column(features.id)] : identityOf(dialect, features);
  const chosen = conditionSql(dialect, features.fields, feature.where, 'b.');
  const conditions = [
    ...(windowMs === longestWindow(features) ? [] : [`b.${at} >= a.${at} - ${windowMs}`]),
    ...(chosen === undefined ? [] : [chosen]),
  ];
  if (aggregate === 'since') {
    const other = own.map((column) => `b.${column} <> a.${column}`).join(' or ');
    const others = [`(${other})`, ...conditions].join(' and ');
    return `a.${at} - max(case when ${others} then b.${at} end)`;
  }
  return aggregateSql(dialect, aggregate, {
    value: field === undefined ? undefined : `b.${dialect.column(field)}`,
    condition: conditions.length === 0 ? undefined : conditions.join(' and '),
    order: `b.${ORDER}`,
    over: '',
  });
}
