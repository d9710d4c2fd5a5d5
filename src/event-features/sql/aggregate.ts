import type { Aggregate } from '../definition.ts';
import type { EventDialect } from './dialect.ts';

interface Of {
  /** Undefined to count events. */
  readonly value: string | undefined;
  /** Undefined if every event counts. */
  readonly condition: string | undefined;
  /** Expression that orders events by time and id. */
  readonly order: string;
  /** ` over w`, or empty. */
  readonly over: string;
}

/** An aggregate over the values of events that meet a condition. */
export function aggregateSql(
  dialect: EventDialect,
  aggregate: Exclude<Aggregate, 'since'>,
  { value, condition, order, over }: Of,
): string {
  const of = condition === undefined ? (value ?? '1') : `case when ${condition} then ${value ?? '1'} end`;
  const sum = () => dialect.wholeSum(`sum(${of})${over}`);
  const double = (expression: string) => `cast(${expression} as ${dialect.types.double})`;
  switch (aggregate) {
    case 'count':
      return `count(${of})${over}`;
    case 'distinct':
      return `count(distinct ${of})${over}`;
    case 'sum':
      return sum();
    case 'mean':
      return `${double(sum())} / nullif(${double(`count(${of})${over}`)}, 0)`;
    case 'min':
    case 'max':
      return `${aggregate}(${of})${over}`;
    case 'last': {
      const has = [...(condition === undefined ? [] : [condition]), `${value} is not null`].join(' and ');
      return `max_by(${of}, case when ${has} then ${order} end)${over}`;
    }
  }
}
