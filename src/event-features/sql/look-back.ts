import type { EventFeatures, WindowFeature } from '../definition.ts';
import { showDuration } from '../duration.ts';
import { keyOf, ORDER } from './accepted.ts';
import { aggregateSql } from './aggregate.ts';
import { conditionSql } from './condition.ts';
import type { EventDialect } from './dialect.ts';

/** The part `_seen` of a WITH clause: accepted events with the features that ordered windows can compute. */
export function lookBackSql(dialect: EventDialect, features: EventFeatures, ranged: readonly WindowFeature[]): string {
  const key = keyOf(dialect, features).join(', ');
  const at = dialect.column(features.time);
  const windows = new Map<string, string>();
  const columns = ranged.map((feature) => {
    const { windowMs, aggregate } = feature;
    const name = `_w${showDuration(windowMs)}`;
    if (aggregate === 'since') {
      windows.set('_tied', `partition by ${key}, ${at}`);
      windows.set(`${name}_before`, `partition by ${key} order by ${at} range between ${windowMs} preceding and 1 preceding`);
    } else {
      windows.set(name, `partition by ${key} order by ${at} range between ${windowMs} preceding and current row`);
    }
    return `${expression(dialect, features, feature, name)} as ${dialect.column(feature.name)}`;
  });
  const named = [...windows].map(([name, definition]) => `${name} as (${definition})`);
  return `_seen as (
  select _accepted.*,
    ${columns.join(',\n    ')}
  from _accepted
  window ${named.join(',\n    ')}
)`;
}

function expression(dialect: EventDialect, features: EventFeatures, feature: WindowFeature, window: string): string {
  const condition = conditionSql(dialect, features.fields, feature.where, '');
  if (feature.aggregate !== 'since') {
    const value = feature.field === undefined ? undefined : dialect.column(feature.field);
    return aggregateSql(dialect, feature.aggregate, { value, condition, order: ORDER, over: ` over ${window}` });
  }
  const at = dialect.column(features.time);
  // Times are whole milliseconds: what is not tied is at least 1 ms earlier.
  const tied = condition === undefined ? 'count(*)' : `count(case when ${condition} then 1 end)`;
  const self = condition === undefined ? '1' : `case when ${condition} then 1 else 0 end`;
  const before = condition === undefined ? at : `case when ${condition} then ${at} end`;
  return `case when ${tied} over _tied > ${self} then 0 else ${at} - max(${before}) over ${window}_before end`;
}
